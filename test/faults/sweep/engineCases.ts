import { VERIFICATION } from "../../support/faultLane";
import { startFaultProxy } from "../../support/faultProxy";
import { Iam } from "../../support/iam";
import type { Moto } from "../../support/moto";
import { EngineWorld } from "./engineWorld";
import { FAULTS, type Target } from "./faults";
import { goOn } from "./goOn";
import { CONNECTIONS, Hosts } from "./hosts";
import { inParallel } from "./inParallel";
import { brokenAfterFault } from "./invariants";
import type { Case, Outcome } from "./runCase";
import { type Scene, SCENES } from "./scenes";
import type { Surroundings } from "./world";

const SEED = 1;

/** The calls after which the engine is killed, by scene. */
const KILLED: Readonly<Record<string, readonly string[]>> = {
  "create, new user": [...creation(), `${VERIFICATION} 1`, "TagUser 2"],
  "create, leftover": ["GetUser 1", "GetAccessKeyLastUsed 1", "TagUser 1", "CreateAccessKey 1", "TagUser 2"],
  "rotation, current only": [...creation(), `${VERIFICATION} 1`, "TagUser 2"],
  "rotation, current and previous": [
    ...creation(),
    "GetAccessKeyLastUsed 1",
    "DeleteAccessKey 1",
    `${VERIFICATION} 1`,
    "TagUser 2",
  ],
  "rotation, pending": ["GetUser 1", "GetUser 2", `${VERIFICATION} 1`, "TagUser 1"],
  "rotation, leftover": [
    "GetUser 1",
    "GetAccessKeyLastUsed 1",
    "TagUser 1",
    "DeleteAccessKey 1",
    "CreateAccessKey 1",
    "TagUser 2",
  ],
  "retirement, current and previous": [
    "GetUser 1",
    "ListAccessKeys 1",
    "GetCallerIdentity 1",
    "GetAccessKeyLastUsed 1",
    "UpdateAccessKey 1",
  ],
  "destroy, current and previous": [
    "GetUser 1",
    "ListAccessKeys 1",
    "DeleteAccessKey 1",
    "DeleteAccessKey 2",
    "UntagUser 1",
  ],
};

function creation(): string[] {
  return [
    "GetUser 1",
    "ListAccessKeys 1",
    "GetCallerIdentity 1",
    "GetUser 2",
    "TagUser 1",
    "ListAccessKeys 2",
    "GetUser 3",
    "CreateAccessKey 1",
    "GetUser 4",
  ];
}

/** The calls that write, at which the provider is killed and answers are lost. */
const WRITES: Readonly<Record<string, readonly string[]>> = {
  "create, new user": ["TagUser 1", "CreateAccessKey 1", "TagUser 2"],
  "rotation, current only": ["CreateAccessKey 1", "TagUser 2"],
  "rotation, current and previous": ["DeleteAccessKey 1", "CreateAccessKey 1"],
  "retirement, current and previous": ["UpdateAccessKey 1"],
  "destroy, current and previous": ["DeleteAccessKey 2"],
};

const AT_WRITES = ["answer lost", "provider killed before it", "provider killed after it"];

/** The chosen cases. */
export function engineCases(): Case[] {
  const cases = (chosen: Readonly<Record<string, readonly string[]>>, faults: readonly string[]): Case[] =>
    Object.entries(chosen).flatMap(([name, calls]) =>
      calls.flatMap((call) =>
        FAULTS.filter((fault) => faults.includes(fault.name)).map((fault) => ({
          scene: sceneOf(name),
          target: targetOf(call),
          fault,
        })),
      ),
    );
  return [...cases(KILLED, ["engine killed after it"]), ...cases(WRITES, AT_WRITES)];
}

function sceneOf(name: string): Scene {
  const scene = SCENES.find(({ operation, start }) => `${operation}, ${start}` === name);
  if (!scene) throw new Error(`there is no scene "${name}"`);
  return scene;
}

function targetOf(call: string): Target {
  const space = call.lastIndexOf(" ");
  return { action: call.slice(0, space), nth: Number(call.slice(space + 1)) };
}

let users = 0;

/** Runs cases on the real engine; the command after a killed engine comes at once, while its provider still works. */
export async function sweepEngine(
  moto: Moto,
  cases: readonly Case[],
  parallel: number,
  onOutcome?: (outcome: Outcome, done: number) => void,
): Promise<Outcome[]> {
  const proxy = await startFaultProxy(moto.endpoint);
  const account = new Iam(moto.endpoint);
  const hosts = new Hosts(proxy.endpoint);
  let done = 0;
  try {
    return await inParallel(cases, parallel, async (one) => {
      const outcome = await runEngineCase({ proxy, account, hosts }, one, `engine-${++users}`);
      onOutcome?.(outcome, ++done);
      return outcome;
    });
  } finally {
    await hosts.stop();
    account.stop();
    await proxy.stop();
  }
}

async function runEngineCase(around: Surroundings, { scene, target, fault }: Case, userName: string): Promise<Outcome> {
  if (!target || !fault) throw new Error("a case on the engine is a disturbed one");
  await around.account.createUser(userName);
  const connectionId = CONNECTIONS[0] ?? "";
  const world = new EngineWorld(around, userName, { seed: SEED, connectionId, previousKey: scene.previousKey });
  try {
    await world.init();
    world.isPreparing = scene.start !== "pending";
    await scene.prepare(world);
    world.isPreparing = false;
    await world.load();
    world.pause();
    const isRemoval = scene.operation.startsWith("destroy");
    if (isRemoval) world.allowRemoval();
    // The next command comes while the provider that outlives its engine is still at work.
    world.mayLackLedger = fault.kills === "engine";
    let isReached = false;
    const rule = fault.rule(target, { killProvider: () => world.killProvider(), upMeanwhile: async () => {} });
    world.lane.watch({
      ...rule,
      effect: async (call) => {
        isReached = true;
        if (fault.kills === "engine") await world.killEngine();
        return rule.effect(call);
      },
    });
    const ran = await (isRemoval ? world.destroy() : world.up());
    const calls = world.lane.calls.map(({ action, nth }) => ({ action, nth }));
    world.lane.watch();
    world.pause();
    const broken = await brokenAfterFault(world, isRemoval, fault.kills === "nothing");
    const typed = await goOn(world, scene, broken);
    return {
      scene,
      target,
      fault,
      result: !isReached ? "not reached" : typed.length > 0 ? "told" : ran.error !== undefined ? "went on" : "ran",
      typed,
      broken: [...new Set(broken)],
      calls,
      secrets: world.secrets,
      said: world.engine.told,
    };
  } finally {
    around.proxy.close(world.lane);
    world.remove();
  }
}
