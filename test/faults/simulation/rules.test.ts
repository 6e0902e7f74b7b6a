import assert from "node:assert/strict";

import { LEDGER_TAG } from "../../../provider/src/rotation/ledger";
import { CALM } from "../../support/simulatedCalls";
import { created, fault, HOUR, keysOf, ledgerOf, onUser, SLOW, stateOf, weather } from "./rules";
import { PROGRAM, World } from "./world";

/** The rules that a random history may pass by: each in the shortest history that needs it. */

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

  it("is waited for until its window has closed, however short the lag may be", async () => {
    const world = new World();
    world.stack.settings["iam-rotation:limits"] = JSON.stringify({ lagSeconds: 0 });
    // Its provider outlives it; AWS makes the key when the next run is at work, and then the provider dies, too.
    const orphan = weather(
      { action: "user", kind: "killEngine", nth: 2 },
      { action: "create", kind: "stall", nth: 1 },
      { action: "user", kind: "killBefore", nth: 4 },
    );
    await world.up({ weather: orphan });
    await world.time.advance(5_000);
    assert.equal((await world.up()).error, undefined);
    await world.quiet();
    world.check();
    assert.deepEqual(keysOf(world), ["2 current", "1 leftover"]);
  });

  it("is nobody's where a person made a key in its window, too", async () => {
    const world = new World();
    const run = world.up({ weather: fault("create", "lose") });
    await world.time.advance(1_000);
    world.iam.makeKey(world.user, "person");
    assert.ok((await run).error);
    assert.equal(onUser(world), "1 2");
    assert.match((await world.up()).error!.message, /no free slot/);
    assert.equal(onUser(world), "1 2");
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

  it("do not hand a pending key over that the other one is about to give up", async () => {
    const world = new World();
    await world.up({ weather: SLOW });
    await world.time.advance(24 * HOUR);
    // Its provider outlives it, and sleeps in the midst of the verification, longer than that may take.
    const orphan = weather(
      { action: "any", kind: "killEngine", nth: 1 },
      { action: "identify", kind: "suspend", nth: 1 },
    );
    await world.up({ weather: orphan });
    assert.match((await world.up()).error!.message, /another run is rotating the keys/);
    await world.quiet();
    world.check();
    assert.equal((await world.up()).error, undefined);
    world.assertSettled();
  });

  it("end where a destroy took the ledger away: a provider that outlived its engine makes no key", async () => {
    const world = await created();
    const orphan = weather({ action: "user", kind: "killEngine", nth: 1 }, { action: "user", kind: "suspend", nth: 2 });
    await world.up({ trigger: true, weather: orphan });
    assert.equal((await world.destroy()).error, undefined);
    await world.quiet();
    assert.equal(onUser(world), "");
    assert.deepEqual(world.user.tags, {});
  });

  it("do not give a pending key up that the other one has published", async () => {
    const world = new World();
    await world.up({ weather: SLOW });
    await world.time.advance(24 * HOUR);
    const orphan = weather(
      { action: "identify", kind: "killEngine", nth: 1 },
      { action: "identify", kind: "suspend", nth: 2 },
    );
    await world.up({ weather: orphan });
    await world.time.advance(5_000);
    assert.equal((await world.up()).error, undefined);
    await world.quiet();
    world.check();
    assert.deepEqual(keysOf(world), ["1 current"]);
    assert.equal(onUser(world), "1");
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

describe("a key that is Inactive when a run looks at it", () => {
  it("is not deleted where a person makes it active meanwhile", async () => {
    const world = await created();
    await world.up({ trigger: true });
    await world.time.advance(48 * HOUR);
    const [previous] = world.user.keys;
    world.iam.setStatus(world.user, previous!, "Inactive");
    const run = world.up({ trigger: true, weather: fault("tag", "stall") });
    await world.time.advance(1_000);
    world.iam.setStatus(world.user, previous!, "Active");
    assert.match((await run).error!.message, /was made active while this run was about to make a new one/);
    assert.equal(onUser(world), "1 2");
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

  it("is the only one in its window: without tags a run waits until that has closed", async () => {
    const world = new World();
    await world.up({ weather: fault("create", "killAfter") });
    await world.up({
      weather: weather({ action: "tag", nth: 1, kind: "refuse" }, { action: "create", nth: 1, kind: "killAfter" }),
    });
    assert.equal(onUser(world), "1 2");
    assert.equal((await world.up()).error, undefined);
    assert.deepEqual(keysOf(world), ["3 current"]);
    assert.equal(onUser(world), "2 3");
  });

  it("is not told where tags are denied: such a key is never deleted", async () => {
    const world = await created();
    world.user.isTaggable = false;
    await world.up({ trigger: true, weather: fault("create", "killAfter") });
    const { error } = await world.up({ trigger: true });
    assert.match(error!.message, /no free slot/);
    assert.equal(onUser(world), "1 2");
  });

  it("is not enough where tags are denied since: a later run that was killed could not be told", async () => {
    const world = await created();
    await world.up({ trigger: true, weather: fault("create", "killAfter") });
    world.user.isTaggable = false;
    assert.match((await world.up({ trigger: true })).error!.message, /no free slot/);
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

  it("is refused to a state of a user that was made again under the same name", async () => {
    const world = await created();
    world.iam.addUser(world.userName);
    assert.match((await world.up({ trigger: true })).error!.message, /was deleted and made again/);
    assert.equal(onUser(world), "");
    assert.equal((await world.up({ refresh: true })).error, undefined);
    assert.equal(onUser(world), "2");
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
