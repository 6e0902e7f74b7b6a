import type { Wire } from "../../support/providerHost";
import type { World } from "./world";

/** An operation from one starting state. */
export interface Scene {
  readonly operation: "create" | "rotation" | "retirement" | "destroy" | "destroy, then refresh and up";
  readonly start: string;
  /** The input of that name. */
  readonly previousKey?: Wire;
  /** Brings the starting state about, and the day on which the operation is due. */
  prepare(world: World): Promise<void>;
}

const CREATED = 0;
const ROTATED = 40;
const RETIRED = 42;
const ROTATED_AGAIN = 80;
const RETIRES = { deactivateAfterHours: 24 };

async function succeed(world: World, day: number): Promise<void> {
  world.day = day;
  const ran = await world.up();
  if (ran.error !== undefined) throw new Error(`the starting state could not be made: ${ran.error}`);
}

/** The answer to CreateAccessKey is lost, and the engine dies before it saves: the key is a leftover. */
async function leaveOver(world: World, day: number): Promise<void> {
  world.day = day;
  await world.upAndDie();
}

/** The new key does not work: it stays in state as pending. */
async function leavePending(world: World, day: number): Promise<void> {
  world.day = day;
  world.lane.neverLive = true;
  await world.up();
  world.lane.neverLive = false;
  if (!world.engine.state?.outputs["pendingCredentials"]) throw new Error("there is no pending key");
}

const foreignKey = (world: World) => world.addForeignKey();

const currentOnly = (world: World) => succeed(world, CREATED);

async function currentAndPrevious(world: World): Promise<void> {
  await succeed(world, CREATED);
  await succeed(world, ROTATED);
}

async function previousInactive(world: World): Promise<void> {
  await currentAndPrevious(world);
  await succeed(world, RETIRED);
}

/** Somebody used the previous key an hour ago. */
function usePrevious(world: World): void {
  const previous = world.engine.state?.outputs["previousAccessKeyId"] as string;
  world.inUse = previous;
  world.lane.lastUses.set(previous, new Date(world.around.hosts.at(world.day).getTime() - 3_600_000).toISOString());
}

async function currentAndForeign(world: World): Promise<void> {
  await foreignKey(world);
  await currentOnly(world);
}

async function pendingAfterRotation(world: World): Promise<void> {
  await currentOnly(world);
  await leavePending(world, ROTATED);
}

async function leftoverOfRotation(world: World): Promise<void> {
  await currentOnly(world);
  await leaveOver(world, ROTATED);
}

const CREATIONS: readonly Scene[] = [
  { operation: "create", start: "new user", prepare: async () => {} },
  { operation: "create", start: "one foreign key", prepare: foreignKey },
  { operation: "create", start: "leftover", prepare: (world) => leaveOver(world, CREATED) },
  {
    operation: "create",
    start: "leftover and one foreign key",
    prepare: async (world) => {
      await foreignKey(world);
      await leaveOver(world, CREATED);
    },
  },
  {
    operation: "create",
    start: "two foreign keys",
    prepare: async (world) => {
      await foreignKey(world);
      await foreignKey(world);
    },
  },
  { operation: "create", start: "pending", prepare: (world) => leavePending(world, CREATED) },
];

const ROTATIONS: readonly Scene[] = [
  {
    operation: "rotation",
    start: "current only",
    prepare: async (world) => {
      await currentOnly(world);
      world.day = ROTATED;
    },
  },
  {
    operation: "rotation",
    start: "one foreign key",
    prepare: async (world) => {
      await currentAndForeign(world);
      world.day = ROTATED;
    },
  },
  {
    operation: "rotation",
    start: "current and previous",
    prepare: async (world) => {
      await currentAndPrevious(world);
      world.day = ROTATED_AGAIN;
    },
  },
  {
    operation: "rotation",
    start: "previous in use",
    prepare: async (world) => {
      await currentAndPrevious(world);
      world.day = ROTATED_AGAIN;
      usePrevious(world);
    },
  },
  {
    operation: "rotation",
    start: "previous inactive",
    previousKey: RETIRES,
    prepare: async (world) => {
      await previousInactive(world);
      world.day = ROTATED_AGAIN;
    },
  },
  { operation: "rotation", start: "pending", prepare: pendingAfterRotation },
  { operation: "rotation", start: "leftover", prepare: leftoverOfRotation },
];

const RETIREMENTS: readonly Scene[] = [
  {
    operation: "retirement",
    start: "current and previous",
    previousKey: RETIRES,
    prepare: async (world) => {
      await currentAndPrevious(world);
      world.day = RETIRED;
    },
  },
  {
    operation: "retirement",
    start: "previous in use",
    previousKey: RETIRES,
    prepare: async (world) => {
      await currentAndPrevious(world);
      world.day = RETIRED;
      usePrevious(world);
    },
  },
];

const REMOVALS: readonly Omit<Scene, "operation">[] = [
  { start: "current only", prepare: currentOnly },
  { start: "one foreign key", prepare: currentAndForeign },
  { start: "current and previous", prepare: currentAndPrevious },
  { start: "previous inactive", previousKey: RETIRES, prepare: previousInactive },
  { start: "pending", prepare: pendingAfterRotation },
  { start: "pending of a creation", prepare: (world) => leavePending(world, CREATED) },
  { start: "leftover", prepare: leftoverOfRotation },
];

/** Where a destroy that failed is healed by an `up`, in place of another destroy. */
const HEALED = ["current only", "current and previous", "pending", "leftover"];

/** Every operation from every state that it can start from. */
export const SCENES: readonly Scene[] = [
  ...CREATIONS,
  ...ROTATIONS,
  ...RETIREMENTS,
  ...REMOVALS.map((scene) => ({ ...scene, operation: "destroy" as const })),
  ...REMOVALS.filter(({ start }) => HEALED.includes(start)).map((scene) => ({
    ...scene,
    operation: "destroy, then refresh and up" as const,
  })),
];
