import type { KeyRecord } from "../../../provider/src/rotation/keyRing";
import { LEDGER_TAG, OWNER_TAG, parseLedger } from "../../../provider/src/rotation/ledger";
import type { World } from "./world";

/** What is on the user, seen from outside. */
async function look(world: World) {
  const { account } = world.around;
  const [keys, tags = {}] = await Promise.all([account.keys(world.userName), account.tags(world.userName)]);
  const foreign = world.foreign.map((key) => key.accessKeyId);
  return {
    statuses: new Map(keys.map((key) => [key.accessKeyId, key.status])),
    ours: keys.map((key) => key.accessKeyId).filter((id) => !foreign.includes(id)),
    tags,
    ledger: parseLedger(tags[LEDGER_TAG]),
  };
}

/** The keys that the saved state lists. */
function keysInState(world: World): readonly KeyRecord[] {
  return (world.engine.state?.outputs["keys"] ?? []) as KeyRecord[];
}

/**
 * Invariants 1, 2 and 4, right after a fault.
 *
 * @param isDestroy The published key may be gone.
 * @param hasSaved The engine has saved what the provider gave it: then every secret that was received is in state.
 */
export async function brokenAfterFault(world: World, isDestroy: boolean, hasSaved: boolean): Promise<string[]> {
  const { ours, statuses, ledger } = await look(world);
  const broken = [...brokenForeign(world, statuses)];
  if (!isDestroy) broken.push(...brokenPublished(world, statuses));
  const state = world.engine.state?.outputs;
  const inState = keysInState(world).map((key) => key.accessKeyId);
  const announcement = ledger?.announcement;
  for (const id of ours) {
    const isAnnounced = announcement !== undefined && !announcement.others.includes(id);
    if (!inState.includes(id) && !ledger?.keys.includes(id) && !isAnnounced) {
      broken.push("4: a key on the user is neither in state nor known as a leftover");
    }
    const made = world.lane.made.get(id);
    // Where the run was overtaken, the other run's state is the one that counts.
    if (hasSaved && made?.isDelivered && !isDestroy && !JSON.stringify(state ?? {}).includes(made.secret)) {
      if (!ledger?.keys.includes(id) && !isAnnounced) broken.push("4: a secret that was received is lost");
    }
  }
  return broken;
}

/** Invariant 3, after the next undisturbed `up`; 1 and 2 with it. */
export async function brokenAfterUp(world: World): Promise<string[]> {
  const { account } = world.around;
  const { ours, statuses, ledger } = await look(world);
  const outputs = world.engine.state?.outputs ?? {};
  const listed = keysInState(world).map((key) => key.accessKeyId);
  const broken = [...brokenForeign(world, statuses), ...brokenPublished(world, statuses)];
  if (!world.published) broken.push("3: no key is published");
  else if (!(await account.keyWorks(world.userName, world.published)))
    broken.push("3: the published key does not work");
  if (!isSame(ours, listed)) broken.push("3: our keys on the user are not those that state lists");
  if (ledger?.announcement) broken.push("3: an announcement is open");
  if (!ledger) broken.push(...(world.mayLackLedger ? [] : ["3: there is no ledger"]));
  else if (!ledger.keys.every((id) => listed.includes(id)))
    broken.push("3: the ledger names a key that state does not");
  else if (!world.mayLackLedger && !isSame(ledger.keys, listed)) broken.push("3: the ledger lacks a key");
  if (outputs["pendingCredentials"]) broken.push("3: a key is pending");
  if (outputs["unsettled"]) broken.push("3: something is unsettled");
  return broken;
}

/** After a destroy: none of our keys and tags is left, and every other key is. */
export async function brokenAfterDestroy(world: World): Promise<string[]> {
  const { ours, statuses, tags } = await look(world);
  const broken = [...brokenForeign(world, statuses)];
  if (world.engine.state) broken.push("6: the resource is still in state");
  if (ours.length > 0) broken.push("4: a key of ours is left on the user");
  const hasTags = tags[LEDGER_TAG] !== undefined || tags[OWNER_TAG] !== undefined;
  if (hasTags && !world.mayKeepTags) broken.push("3: a tag is left on the user");
  return broken;
}

function brokenForeign(world: World, statuses: ReadonlyMap<string, string>): string[] {
  const isIntact = world.foreign.every((key) => statuses.get(key.accessKeyId) === "Active");
  return isIntact ? [] : ["2: a foreign key was changed or deleted"];
}

function brokenPublished(world: World, statuses: ReadonlyMap<string, string>): string[] {
  const { published } = world;
  if (!published) return [];
  if (statuses.get(published.accessKeyId) !== "Active") return ["1: the published key is not Active on the user"];
  const secret = world.lane.made.get(published.accessKeyId)?.secret;
  return secret === published.secretAccessKey ? [] : ["1: the published secret is not that of its key"];
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((id) => others.includes(id));
}
