import assert from "node:assert/strict";

import { LEDGER_TAG } from "../../../provider/src/rotation/ledger";
import { toldUseTime } from "../../support/simulatedCalls";
import { created, fault, HOUR, keysOf, ledgerOf, onUser, stateOf } from "./rules";
import { World } from "./world";

/** The rules that a random history may pass by: each in the shortest history that needs it. */

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

  for (const service of ["s3", "sts"]) {
    it(`keeps a previous key that somebody uses for ${service}, and says until when`, async () => {
      const world = await created();
      await world.up({ trigger: true });
      await world.time.advance(5 * HOUR);
      const key = world.user.keys[0]!;
      const at = world.time.now;
      key.uses.push({ at, service, region: "us-east-1", isOurs: false, reportedAt: at });
      const { error } = await world.up({ trigger: true });
      assert.match(error!.message, new RegExp(`must go to make room for a new one.*for ${service} in us-east-1`));
      assert.equal(error!.explanation.details?.["until"], new Date(toldUseTime(at) + 24 * HOUR).toISOString());
      assert.equal(onUser(world), "1 2");
    });
  }

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
