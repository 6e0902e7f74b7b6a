import assert from "node:assert/strict";

import { LEDGER_TAG, parseLedger } from "../../../provider/src/rotation/ledger";
import { CALM, type Fault, type Weather } from "../../support/simulatedCalls";
import { PROGRAM, World } from "./world";

/** The rules that a random history may pass by: each in the shortest history that needs it. */

const HOUR = 3_600_000;

const weather = (...faults: Fault[]): Weather => ({ ...CALM, faults });
const fault = (action: Fault["action"], kind: Fault["kind"], nth = 1): Weather => weather({ action, kind, nth });
/** Longer than the budget of a verification. */
const SLOW: Weather = { ...CALM, seed: 7, propagationSeconds: 4_000 };

const stateOf = (world: World) => world.stack.saved!.state;
const keysOf = (world: World) => stateOf(world).keys.map((key) => `${key.accessKeyId.slice(-1)} ${key.state}`);
const onUser = (world: World) => world.user.keys.map((key) => key.accessKeyId.slice(-1)).join(" ");
const ledgerOf = (world: World) => parseLedger(world.user.tags[LEDGER_TAG]);

async function created(program: Record<string, unknown> = {}): Promise<World> {
  const world = new World();
  Object.assign(world.program, program);
  const { error } = await world.up();
  assert.equal(error, undefined);
  await world.time.advance(48 * HOUR);
  return world;
}

describe("a key that does not work in time", () => {
  it("stays pending in state, and the next run goes on with it", async () => {
    const world = await created();
    const { error } = await world.up({ trigger: true, weather: SLOW });
    assert.match(error!.message, /did not work 3 times in a row/);
    assert.deepEqual(keysOf(world), ["1 current", "2 pending"]);
    assert.ok(stateOf(world).pendingCredentials?.secretAccessKey);
    await world.time.advance(2 * HOUR);
    assert.equal((await world.up({ refresh: true })).error, undefined);
    world.assertSettled();
    assert.equal(world.iam.keys.size, 2, "no third key was made");
  });

  it("is kept by a creation, too", async () => {
    const world = new World();
    assert.ok((await world.up({ weather: SLOW })).error);
    assert.deepEqual(keysOf(world), ["1 pending"]);
    await world.time.advance(2 * HOUR);
    assert.equal((await world.up()).error, undefined);
    assert.deepEqual(keysOf(world), ["1 current"]);
  });

  it("is dropped where a person disabled it, and a new one made", async () => {
    const world = new World();
    await world.up({ weather: SLOW });
    world.iam.setStatus(world.user, world.user.keys[0]!, "Inactive");
    assert.equal((await world.up()).error, undefined);
    assert.equal(onUser(world), "2");
  });

  it("is given up an hour after it was made", async () => {
    const world = new World();
    const never = { ...SLOW, propagationSeconds: 4_000_000 };
    await world.up({ weather: never });
    await world.time.advance(2 * HOUR);
    assert.match((await world.up({ weather: { ...never, seed: 3 } })).error!.message, /an hour after it was made/);
    assert.equal((await world.up()).error, undefined);
    assert.equal(onUser(world), "2");
  });
});

describe("an announcement", () => {
  it("is closed by a definite refusal", async () => {
    const world = await created();
    await world.up({ trigger: true, weather: fault("create", "refuse") });
    assert.equal(ledgerOf(world)?.announcement, undefined);
  });

  it("stays open after LimitExceeded: a key of ours that no list shows yet may be why", async () => {
    const world = await created();
    const run = world.up({ trigger: true, weather: fault("create", "stall") });
    await world.time.advance(2_000);
    world.iam.makeKey(world.user, "person");
    const { error } = await run;
    assert.match(error!.message, /LimitExceeded/);
    assert.ok(ledgerOf(world)?.announcement);
    assert.equal(onUser(world), "1 2");
  });

  it("stays open after an ambiguous failure, and tells the next run whose the key is", async () => {
    const world = await created();
    await world.up({ trigger: true, weather: fault("create", "lose") });
    assert.ok(ledgerOf(world)?.announcement);
    assert.equal((await world.up({ trigger: true })).error, undefined);
    assert.equal(onUser(world), "1 3");
    world.assertSettled();
  });

  it("is closed by a retirement, where tags could not be written for a time", async () => {
    const world = await created();
    assert.equal((await world.up({ trigger: true, weather: fault("tag", "refuse", 2) })).error, undefined);
    assert.ok(ledgerOf(world)?.announcement);
    await world.time.advance(48 * HOUR);
    world.program["previousKey"] = { deactivateAfterHours: 12 };
    assert.equal((await world.up({ refresh: true })).error, undefined);
    world.assertSettled();
  });
});

describe("two runs that overlap", () => {
  it("end with one key: the one that finds itself overtaken deletes what it made", async () => {
    const world = await created();
    // The engine is killed while the provider makes a key; the ledger is somebody else's before it can settle.
    const first = world.up({ trigger: true, weather: weather({ action: "create", kind: "stall", nth: 1 }) });
    await world.time.advance(1_000);
    const ledger = world.user.tags[LEDGER_TAG]!;
    world.iam.setTags(world.user, { ...world.user.tags, [LEDGER_TAG]: ledger.replace(/n=\w+/, "n=ffffffffffff") });
    const { error } = await first;
    assert.match(error!.message, /another run is rotating the keys/);
    assert.equal(onUser(world), "1");
  });

  it("leave a pending key alone that both found in state: the other one may have published it", async () => {
    const world = await created();
    await world.up({ trigger: true, weather: SLOW });
    const resuming = world.up({ trigger: true, weather: weather({ action: "caller", kind: "stall", nth: 1 }) });
    await world.time.advance(1_000);
    const ledger = world.user.tags[LEDGER_TAG]!;
    world.iam.setTags(world.user, { ...world.user.tags, [LEDGER_TAG]: ledger.replace(/n=\w+/, "n=ffffffffffff") });
    assert.match((await resuming).error!.message, /another run is rotating the keys/);
    assert.equal(onUser(world), "1 2");
  });

  it("do not go on where the ledger is another's when it is read back", async () => {
    const world = await created();
    const first = world.up({ trigger: true, weather: weather({ action: "list", kind: "stall", nth: 2 }) });
    await world.time.advance(1_000);
    const ledger = world.user.tags[LEDGER_TAG]!;
    world.iam.setTags(world.user, { ...world.user.tags, [LEDGER_TAG]: ledger.replace(/n=\w+/, "n=ffffffffffff") });
    assert.match((await first).error!.message, /another run is rotating the keys/);
    assert.equal(world.iam.keys.size, 1, "no key was made");
  });

  it("do not go on where a key appeared while the ledger was written", async () => {
    const world = await created();
    const first = world.up({ trigger: true, weather: weather({ action: "tag", kind: "stall", nth: 1 }) });
    await world.time.advance(1_000);
    world.iam.makeKey(world.user, world.rotationId);
    assert.match((await first).error!.message, /was made at .*, while this run was about to make one/);
    assert.equal(world.iam.keys.size, 2);
  });

  it("are refused where the ledger is another one than at the first look, however close they began", async () => {
    const world = await created();
    // Its provider outlives it: it reads the tags, or the list, when the next run has already ended.
    for (const action of ["list", "user"] as const) {
      const orphan = weather({ action, kind: "stall", nth: 1 }, { action: "caller", kind: "killEngine", nth: 1 });
      await world.up({ trigger: true, weather: orphan });
      assert.equal((await world.up()).error, undefined);
      await world.quiet();
      world.check();
      await world.time.advance(48 * HOUR);
    }
    assert.equal(onUser(world), "2 3");
  });

  it("are refused where the ledger was written after the run began, though the local clock was set back meanwhile", async () => {
    const world = await created();
    world.iam.makeKey(world.user, "person");
    const first = world.up({ trigger: true });
    await world.time.advance(10_000);
    world.local.offset = -240_000;
    const { tags } = world.user;
    const now = Math.floor(world.time.now / 1_000);
    world.iam.setTags(world.user, {
      ...tags,
      [LEDGER_TAG]: tags[LEDGER_TAG]!.replace(/at=\d+ n=\w+/, `at=${now} n=ffffffffffff`),
    });
    assert.match((await first).error!.message, /after this run had begun/);
  });
});

describe("an observation", () => {
  it("that was minutes under way tells nothing of what was written meanwhile", async () => {
    const world = new World();
    // Its list is answered at once, its look at the user minutes later: in between another run makes a key and ends.
    await world.up({ weather: fault("create", "killEngine") });
    assert.match((await world.up({ weather: fault("user", "suspend") })).error!.message, /another run is rotating/);
    assert.equal(world.iam.keys.size, 1);
    assert.equal((await world.up()).error, undefined);
    assert.deepEqual(keysOf(world), ["2 current", "1 leftover"]);
    world.assertSettled();
  });
});

describe("whose a key is", () => {
  it("says the ledger: a second rotation of the same user is refused with the name of the first", async () => {
    const world = await created();
    const other = { ...PROGRAM, owner: "acme/other/prod/ci-bot" };
    const { saved } = world.stack;
    world.stack.saved = undefined;
    const { error } = await world.stack.up(other, { refresh: false, replace: false }, CALM);
    assert.match(error!.message, /rotated by another rotation: platform\/prod\/ci-bot/);
    world.stack.saved = saved;
    assert.equal(onUser(world), "1");
  });

  it("is not told where tags are denied: such a key is never deleted", async () => {
    const world = await created();
    world.user.isTaggable = false;
    await world.up({ trigger: true, weather: fault("create", "killAfter") });
    const { error } = await world.up({ trigger: true });
    assert.match(error!.message, /no free slot/);
    assert.equal(onUser(world), "1 2");
  });

  it("is not pending where an older state says so, and consumers use it", async () => {
    const world = await created();
    await world.up({ trigger: true, weather: SLOW });
    const old = world.stack.saved;
    await world.time.advance(2 * HOUR);
    assert.equal((await world.up({ refresh: true })).error, undefined);
    assert.deepEqual(keysOf(world), ["2 current", "1 previous"]);
    const key = world.user.keys[1]!;
    key.uses.push({
      at: world.time.now,
      service: "s3",
      region: "us-east-1",
      isOurs: false,
      reportedAt: world.time.now,
    });
    world.stack.saved = old;
    delete world.program["rotationTrigger"];
    assert.match((await world.up()).error!.message, /counts as in use/);
    assert.equal(onUser(world), "1 2");
  });

  it("is refused to a state that is two rotations old", async () => {
    const world = await created({ previousKey: { whenInUse: "retire" } });
    const old = world.stack.saved;
    for (let time = 0; time < 2; time += 1) assert.equal((await world.up({ trigger: true })).error, undefined);
    world.stack.saved = old;
    const { error } = await world.up({ trigger: true });
    assert.match(error!.message, /an older state was restored/);
  });
});

describe("a creation where no slot is free", () => {
  it("deletes what its own killed attempts left, and only we ever used", async () => {
    const world = new World();
    await world.up({ weather: fault("create", "killAfter") });
    await world.up({ weather: fault("create", "killAfter") });
    assert.equal((await world.up()).error, undefined);
    assert.equal(world.user.keys.length, 2);
  });

  it("deletes nothing of a later generation: it may be a forced replacement", async () => {
    const world = await created();
    await world.up({ trigger: true });
    const { error } = await world.up({ replace: true });
    assert.match(error!.message, /drop --replace or `pulumi state untaint`/);
    assert.equal(onUser(world), "1 2");
  });

  it("deletes nothing that somebody else used", async () => {
    const world = await created();
    world.iam.makeKey(world.user, "person");
    await world.time.advance(HOUR);
    world.user.keys[0]!.uses.push({
      at: world.time.now,
      service: "s3",
      region: "us-east-1",
      isOurs: false,
      reportedAt: world.time.now,
    });
    assert.match((await world.up({ replace: true })).error!.message, /no free slot/);
    assert.equal(onUser(world), "1 2");
  });
});

describe("the gate", () => {
  it("sets our own verification aside: the key of a run that was killed makes room at once", async () => {
    const world = await created();
    // Killed after the verification: the ledger knows the key, IAM tells of its use.
    await world.up({ trigger: true, weather: fault("any", "killEngine", 9) });
    await world.quiet();
    assert.equal((await world.up({ trigger: true })).error, undefined);
    assert.equal(onUser(world), "1 3");
  });

  it("holds back a retirement within 4 hours, and tells until when", async () => {
    const world = await created({ previousKey: { deactivateAfterHours: 0 } });
    await world.up({ trigger: true });
    await world.time.advance(HOUR);
    const { error } = await world.up();
    assert.equal(error, undefined);
    assert.match(stateOf(world).lastRotationMessage ?? "", /stays active, it counts as in use until/);
    await world.time.advance(4 * HOUR);
    await world.up();
    assert.deepEqual(keysOf(world), ["2 current", "1 inactive"]);
  });
});

describe("a destroy", () => {
  it("takes the leftover of an update that was killed, announced or named", async () => {
    for (const kill of [fault("create", "killAfter"), fault("tag", "killAfter", 2)]) {
      const world = await created();
      await world.up({ trigger: true, weather: kill });
      assert.equal((await world.destroy()).error, undefined);
      assert.equal(onUser(world), "");
      assert.deepEqual(world.user.tags, {});
    }
  });

  it("stops where a provider that outlived its engine writes the ledger meanwhile", async () => {
    const world = await created();
    const destroy = world.destroy(fault("delete", "stall"));
    await world.time.advance(1_000);
    const ledger = world.user.tags[LEDGER_TAG]!;
    world.iam.setTags(world.user, {
      ...world.user.tags,
      [LEDGER_TAG]: ledger.replace(/at=\d+ n=\w+/, "at=1900000000 n=ffffffffffff"),
    });
    assert.match((await destroy).error!.message, /another run is rotating the keys/);
    assert.ok(LEDGER_TAG in world.user.tags);
  });

  it("leaves those of a creation, and names them in the ledger", async () => {
    const world = await created();
    await world.up({ replace: true, weather: fault("create", "killAfter") });
    assert.equal((await world.destroy()).error, undefined);
    assert.equal(onUser(world), "2");
    assert.deepEqual(ledgerOf(world)?.keys, [world.user.keys[0]!.accessKeyId]);
  });

  it("stops before its first write where a leftover's last use cannot be read", async () => {
    const world = await created();
    await world.up({ trigger: true, weather: fault("create", "killAfter") });
    assert.ok((await world.destroy(fault("lastUse", "throttle"))).error);
    assert.equal(onUser(world), "1 2");
  });
});
