import { LEDGER_TAG, OWNER_TAG } from "../../../provider/src/rotation/ledger";
import type { RotationError } from "../../../provider/src/rotation/errors";
import type { World } from "./world";

const MINUTE = 60_000;

/**
 * Does what an error's `next` says, as a person would who reads it. The data beside the message tells which error it is.
 *
 * @returns What was done; undefined when the error says nothing that can be done.
 */
export async function remedy(error: RotationError, world: World): Promise<string | undefined> {
  const { details = {}, next = "" } = error.explanation;
  const { user, iam } = world;
  if ("skew" in details) {
    world.local.offset = 0;
    return "set the clock";
  }
  if (next.includes("take `adopt` out") && !world.stack.saved) {
    untag(world);
    return "took the tags away, to adopt the key anew";
  }
  if (next.includes("take `adopt` out") || next.includes("give an Active key")) {
    delete world.program["adopt"];
    return "took adopt out";
  }
  if ("until" in details) {
    const until = details["until"];
    if (typeof until !== "string" || !next.includes(until)) return undefined;
    await world.time.advance(Math.max(0, Date.parse(until) - world.time.now - world.local.offset) + 1_000);
    return `waited until ${until}`;
  }
  if ("ledgerGeneration" in details && next.includes("untag-user")) {
    const inState = world.stack.saved?.state.keys.map((key) => key.accessKeyId) ?? [];
    untag(world);
    // By hand what nobody uses: what neither the restored state publishes nor consumers still have.
    const [last] = world.oracle.everPublished.slice(-1);
    for (const key of [...user.keys]) {
      if (key.maker === "person" || inState.includes(key.accessKeyId) || key.accessKeyId === last) continue;
      key.isTouched = true;
      iam.deleteKey(user, key);
    }
    return "took the tags away, and deleted what nobody uses";
  }
  if ("owner" in details && next.includes("untag-user")) {
    untag(world);
    return "took the tags of a rotation away that is gone";
  }
  if ("accessKeyIds" in details && next.includes("delete-access-key")) {
    const published = world.oracle.published;
    const offered = details["accessKeyIds"] as readonly string[];
    const idle = user.keys.find((key) => offered.includes(key.accessKeyId) && key.accessKeyId !== published);
    if (!idle) return undefined;
    idle.isTouched = true;
    iam.deleteKey(user, idle);
    return `deleted ${idle.accessKeyId}`;
  }
  if ("known" in details && next.includes("pulumi refresh")) {
    const outcome = await world.up({ refresh: true });
    return `refreshed: ${outcome.error?.message ?? "well"}`;
  }
  if (next.includes("run `pulumi up` again")) {
    await world.time.advance(10 * MINUTE);
    return "waited, and ran it again";
  }
  return undefined;
}

function untag(world: World): void {
  const { [LEDGER_TAG]: _ledger, [OWNER_TAG]: _owner, ...rest } = world.user.tags;
  world.knowledgeLost("the tags were taken away as the error said");
  world.iam.setTags(world.user, rest);
}
