import assert from "node:assert/strict";

import { created, fault, HOUR, keysOf, ledgerOf, onUser, SLOW, stateOf } from "./rules";
import { World } from "./world";

/** What a forced replacement, or a tainted resource, may not do to the key that the new resource publishes. */

describe("a resource that was replaced", () => {
  it("does not take the replacement's key with it, which was verified by a later run only", async () => {
    const world = await created();
    assert.match((await world.up({ replace: true, weather: SLOW })).error!.message, /did not work 3 times in a row/);
    await world.time.advance(2 * HOUR);
    assert.equal((await world.up()).error, undefined);
    world.check();
    assert.deepEqual(keysOf(world), ["2 current", "1 leftover"]);
    assert.equal(onUser(world), "2");
  });

  it("does not take the key of a rotation that came before it could be deleted", async () => {
    const world = await created();
    await world.up({ replace: true, weather: fault("delete", "refuse") });
    assert.equal(world.stack.condemned.length, 1);
    await world.time.advance(48 * HOUR);
    assert.equal((await world.up({ trigger: true })).error, undefined);
    world.check();
    assert.equal(world.stack.condemned.length, 0);
    assert.deepEqual(keysOf(world), ["3 current", "2 previous"]);
    assert.equal(onUser(world), "2 3");
  });

  it("does not take it either where it was itself made by the second try", async () => {
    const world = new World();
    await world.up({ weather: fault("create", "killAfter") });
    await world.quiet();
    assert.equal((await world.up()).error, undefined);
    await world.time.advance(48 * HOUR);
    await world.up({ trigger: true });
    await world.time.advance(48 * HOUR);
    // A person takes the previous key away, so that the replacement has a slot.
    const previous = world.user.keys.find((key) => key.accessKeyId !== stateOf(world).accessKeyId)!;
    world.iam.deleteKey(world.user, previous);
    assert.ok((await world.up({ replace: true, weather: SLOW })).error);
    await world.time.advance(2 * HOUR);
    assert.equal((await world.up()).error, undefined);
    world.check();
    assert.deepEqual(
      world.user.keys.map((key) => key.accessKeyId),
      [stateOf(world).accessKeyId],
    );
  });

  it("counts on from every creation, so that none of its updates has the number of one that was replaced", async () => {
    const world = await created();
    assert.equal(stateOf(world).generation, 1);
    await world.up({ replace: true });
    assert.equal(stateOf(world).generation, 2);
    assert.deepEqual([ledgerOf(world)?.generation, ledgerOf(world)?.writtenBy], [2, "create"]);
    await world.up({ trigger: true });
    await world.time.advance(48 * HOUR);
    world.iam.deleteKey(
      world.user,
      world.user.keys.find((key) => key.accessKeyId !== stateOf(world).accessKeyId)!,
    );
    await world.up({ replace: true });
    assert.deepEqual([ledgerOf(world)?.generation, ledgerOf(world)?.writtenBy], [4, "takeover"]);
  });
});

describe("a ledger that a destroy had to leave", () => {
  it("is none for a new creation: what its killed attempts leave makes room", async () => {
    const world = await created();
    await world.up({ trigger: true });
    await world.destroy(fault("untag", "refuse"));
    assert.deepEqual([onUser(world), ledgerOf(world)?.writtenBy], ["", "update"]);
    await world.up({ weather: fault("create", "killAfter") });
    await world.up({ weather: fault("create", "killAfter") });
    assert.equal((await world.up()).error, undefined);
    assert.equal(world.user.keys.length, 2);
  });
});

describe("replacements that failed, and were given up", () => {
  it("do not make the state look older than it is", async () => {
    const world = await created();
    await world.up({ replace: true, weather: fault("create", "refuse") });
    await world.up({ replace: true, weather: fault("create", "refuse") });
    assert.equal(ledgerOf(world)?.generation, 3);
    assert.equal((await world.up({ trigger: true })).error, undefined);
    assert.deepEqual(keysOf(world), ["2 current", "1 previous"]);
  });
});

describe("adopt that was left in the program", () => {
  async function adopted(): Promise<World> {
    const world = new World();
    await world.play({ kind: "adopt", isGiven: true });
    assert.equal((await world.up()).error, undefined);
    await world.time.advance(48 * HOUR);
    return world;
  }

  it("refuses a replacement, whose end would take the adopted key", async () => {
    const world = await adopted();
    const { error } = await world.up({ replace: true });
    assert.match(
      error!.message,
      /is a key of this rotation already.*\nNow: nothing was changed\nNext: take `adopt` out/,
    );
    assert.equal((await world.up()).error, undefined);
    assert.deepEqual(keysOf(world), ["1 current"]);
    assert.equal(onUser(world), "1");
  });

  it("refuses it also after a rotation, where it would go back to the adopted key", async () => {
    const world = await adopted();
    await world.up({ trigger: true });
    assert.match((await world.up({ replace: true })).error!.message, /is a key of this rotation already/);
    assert.deepEqual(keysOf(world), ["2 current", "1 previous"]);
  });

  it("adopts again after a run that was killed, when the tags were taken away as the error says", async () => {
    const world = new World();
    await world.play({ kind: "adopt", isGiven: true });
    assert.equal((await world.up({ weather: fault("tag", "killAfter") })).did, "killed");
    const { error } = await world.up();
    assert.match(error!.message, /aws iam untag-user --user-name ci-bot/);
    await world.play({ kind: "untag" });
    assert.equal((await world.up()).error, undefined);
    assert.deepEqual(keysOf(world), ["1 current"]);
  });

  it("leaves the key alone where the adoption was killed and then given up", async () => {
    const world = new World();
    await world.play({ kind: "adopt", isGiven: true });
    await world.up({ weather: fault("tag", "killAfter") });
    world.iam.makeKey(world.user, "person");
    await world.play({ kind: "adopt", isGiven: false });
    assert.match((await world.up()).error!.message, /no free slot/);
    assert.equal(onUser(world), "1 2");
  });
});
