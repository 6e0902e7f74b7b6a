import assert from "node:assert/strict";

import fc from "fast-check";

import {
  currentKey,
  EMPTY_RING,
  handOver,
  type KeyRing,
  previousKey,
  withKey,
  withLastUse,
  withoutKey,
  withPending,
} from "../../provider/src/rotation/keyRing";
import { credentialOf, rings } from "../support/arbitraries";

const MADE = "2027-01-10T08:30:00.000Z";
const AT = "2027-02-10T08:30:00.000Z";

/** A ring after a creation and so many rotations: keys K1, K2, ... */
function ringAfter(rotations: number): KeyRing {
  let ring = EMPTY_RING;
  for (let number = 1; number <= rotations + 1; number += 1) {
    const previous = previousKey(ring);
    if (previous) ring = withoutKey(ring, previous.accessKeyId);
    ring = handOver(withPending(ring, credentialOf(`K${number}`), MADE), AT, []);
  }
  return ring;
}

const statesOf = (ring: KeyRing) => ring.keys.map(({ accessKeyId, state }) => `${accessKeyId} ${state}`);
const slotsOf = (ring: KeyRing) => ring.generatedCredentials.map(({ accessKeyId }) => accessKeyId);
const next = (ring: KeyRing, disabled: string[] = []) =>
  handOver(withPending(ring, credentialOf("NEW"), MADE), AT, disabled);

describe("The key ring", () => {
  it("takes a new key in as pending, before anybody is given it", () => {
    const ring = withPending(ringAfter(0), credentialOf("NEW"), MADE);
    assert.deepEqual(statesOf(ring), ["K1 current", "NEW pending"]);
    assert.deepEqual(slotsOf(ring), ["K1"]);
    assert.deepEqual(ring.pendingCredentials, credentialOf("NEW"));
    assert.equal(ring.keys[1]?.createdAt, MADE);
  });

  it("keeps nothing but id and secret of what AWS answered", () => {
    const answer = { ...credentialOf("NEW"), createdAt: MADE, userName: "ci-bot" };
    assert.deepEqual(withPending(EMPTY_RING, answer, MADE).pendingCredentials, credentialOf("NEW"));
  });

  it("hands the first key over into slot 0", () => {
    const ring = next(EMPTY_RING);
    assert.equal(ring.activeIndex, 0);
    assert.deepEqual(slotsOf(ring), ["NEW"]);
    assert.deepEqual(statesOf(ring), ["NEW current"]);
    assert.equal(ring.pendingCredentials, null);
  });

  it("hands every further key over into the slot that is not in use, so that activeIndex flips", () => {
    const seen = [0, 1, 2, 3].map((rotations) => ({
      active: ringAfter(rotations).activeIndex,
      slots: slotsOf(ringAfter(rotations)),
    }));
    assert.deepEqual(seen, [
      { active: 0, slots: ["K1"] },
      { active: 1, slots: ["K1", "K2"] },
      { active: 0, slots: ["K3", "K2"] },
      { active: 1, slots: ["K3", "K4"] },
    ]);
  });

  it("makes the old current key the previous one, retired since the rotation", () => {
    const ring = next(ringAfter(0));
    assert.deepEqual(statesOf(ring), ["NEW current", "K1 previous"]);
    assert.equal(previousKey(ring)?.retiredAt, AT);
    assert.equal(currentKey(ring)?.retiredAt, null);
  });

  it("makes an old current key that was found disabled inactive at once", () => {
    assert.deepEqual(statesOf(next(ringAfter(0), ["K1"])), ["NEW current", "K1 inactive"]);
  });

  it("takes the slot of a current key that is no longer on the user, and leaves the previous pair in its own", () => {
    const ring = withoutKey(ringAfter(1), "K2");
    assert.deepEqual(statesOf(ring), ["K1 previous"]);
    const healed = next(ring);
    assert.equal(healed.activeIndex, 1);
    assert.deepEqual(slotsOf(healed), ["K1", "NEW"]);
    assert.deepEqual(statesOf(healed), ["NEW current", "K1 previous"]);
  });

  it("takes the other slot where both keys are gone", () => {
    const ring = withoutKey(withoutKey(ringAfter(1), "K1"), "K2");
    const healed = next(ring);
    assert.equal(healed.activeIndex, 0);
    assert.deepEqual(slotsOf(healed), ["NEW", "K2"]);
  });

  it("does not say again since when a key is retired", () => {
    const ring = withKey(ringAfter(1), "K1", { retiredAt: "2027-01-20T00:00:00.000Z" });
    assert.equal(next(withoutKey(ring, "K2")).keys[1]?.retiredAt, "2027-01-20T00:00:00.000Z");
  });

  it("refuses to hand over where nothing is pending", () => {
    assert.throws(() => handOver(ringAfter(0), AT, []), TypeError);
  });

  it("forgets a pending key with its secret", () => {
    const ring = withoutKey(withPending(ringAfter(0), credentialOf("NEW"), MADE), "NEW");
    assert.equal(ring.pendingCredentials, null);
    assert.deepEqual(statesOf(ring), ["K1 current"]);
  });

  it("keeps a pending key when another is forgotten", () => {
    const ring = withoutKey(withPending(ringAfter(0), credentialOf("NEW"), MADE), "K1");
    assert.deepEqual(ring.pendingCredentials, credentialOf("NEW"));
  });

  it("notes a last use, and keeps what it knew where there is none", () => {
    const ring = withLastUse(ringAfter(0), "K1", { at: AT, service: "s3", region: "us-east-1" });
    assert.equal(ring.keys[0]?.lastUsedAt, AT);
    assert.equal(withLastUse(ring, "K1", null).keys[0]?.lastUsedAt, AT);
    assert.equal(withLastUse(ring, "K1", undefined).keys[0]?.lastUsedAt, AT);
  });

  it("names an inactive key as the previous one where there is no active one", () => {
    const ring = withKey(ringAfter(1), "K1", { state: "inactive" });
    assert.equal(previousKey(ring)?.accessKeyId, "K1");
    assert.equal(previousKey(ringAfter(0)), undefined);
  });

  it("publishes, after any hand-over, the key that was pending, and puts the old pair where it stays readable", () => {
    fc.assert(
      fc.property(rings, fc.boolean(), (given, isDisabled) => {
        const ring = given.pendingCredentials ? given : withPending(given, credentialOf("NEW"), MADE);
        const pending = ring.pendingCredentials?.accessKeyId ?? "";
        const before = currentKey(ring);
        const after = handOver(ring, AT, isDisabled && before ? [before.accessKeyId] : []);
        assert.equal(after.generatedCredentials[after.activeIndex]?.accessKeyId, pending);
        assert.equal(currentKey(after)?.accessKeyId, pending);
        assert.equal(after.keys.filter(({ state }) => state === "current").length, 1);
        assert.equal(after.pendingCredentials, null);
        assert.ok(after.generatedCredentials.length <= 2);
        assert.equal(after.keys.length, ring.keys.length);
        // A current key that is still on the user loses nothing: whoever looks at the other slot finds it.
        if (before) assert.ok(slotsOf(after).includes(before.accessKeyId));
      }),
    );
  });

  it("is never changed in place", () => {
    fc.assert(
      fc.property(rings, (ring) => {
        const before = JSON.stringify(ring);
        const pending = withPending(ring, credentialOf("NEW"), MADE);
        handOver(pending, AT, []);
        withoutKey(ring, "OURS0");
        withKey(ring, "OURS0", { state: "inactive" });
        assert.equal(JSON.stringify(ring), before);
      }),
    );
  });
});
