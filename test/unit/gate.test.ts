import assert from "node:assert/strict";

import fc from "fast-check";

import { type GatePolicy, inUse, type OwnUse } from "../../provider/src/rotation/gate";
import type { KeyRecord } from "../../provider/src/rotation/keyRing";
import type { LastUse } from "../../provider/src/rotation/ports";

const NOW = new Date("2027-02-10T12:00:00.000Z");
const HOUR = 3_600_000;
const hoursAgo = (hours: number, milliseconds = 0) =>
  new Date(NOW.getTime() - hours * HOUR + milliseconds).toISOString();

const previous: KeyRecord = {
  accessKeyId: "AKIA0001",
  state: "previous",
  createdAt: "2027-01-10T12:00:00.000Z",
  verifiedAt: "2027-01-10T12:00:30.000Z",
  retiredAt: hoursAgo(48),
  lastUsedAt: null,
};
const OWN: OwnUse = { region: "eu-west-1", rotationSeconds: 300 };
const policy: GatePolicy = { quietHours: 24, whenInUse: "wait" };
const used = (at: string, service = "s3", region = "eu-west-1"): LastUse => ({ at, service, region });

const gate = (lastUse: LastUse | null | undefined, key: Partial<KeyRecord> = {}, changes: Partial<GatePolicy> = {}) =>
  inUse({ ...previous, ...key }, lastUse, { ...policy, ...changes }, OWN, NOW);

describe("Whether a key counts as in use", () => {
  it("says no for a key that was never used and stopped being current long ago", () => {
    assert.equal(gate(null), undefined);
  });

  it("says until when for a use within the quiet hours, with its service, region and time", () => {
    assert.deepEqual(gate(used(hoursAgo(23))), {
      accessKeyId: "AKIA0001",
      reason: "it was used at 2027-02-09T13:00:00.000Z for s3 in eu-west-1",
      until: "2027-02-10T13:00:00.000Z",
    });
  });

  it("says no from the very instant on at which the quiet hours are over", () => {
    assert.ok(gate(used(hoursAgo(24, 1))));
    assert.equal(gate(used(hoursAgo(24))), undefined);
  });

  it("says yes, without an end, when the last use could not be read", () => {
    const unread = { accessKeyId: "AKIA0001", reason: "its last use could not be read", until: null };
    assert.deepEqual(gate(undefined), unread);
    assert.deepEqual(gate(undefined, {}, { quietHours: 0 }), unread);
  });

  it("says yes for four hours after it stopped being current, because IAM reports uses late", () => {
    assert.deepEqual(gate(null, { retiredAt: hoursAgo(4, 1) }), {
      accessKeyId: "AKIA0001",
      reason: "it was the current key until 2027-02-10T08:00:00.001Z, and IAM reports uses up to 4 hours late",
      until: "2027-02-10T12:00:00.001Z",
    });
    assert.equal(gate(null, { retiredAt: hoursAgo(4) }), undefined);
  });

  it("says yes for no longer than the quiet hours after it stopped being current", () => {
    assert.ok(gate(null, { retiredAt: hoursAgo(2, 1) }, { quietHours: 2 }));
    assert.equal(gate(null, { retiredAt: hoursAgo(2) }, { quietHours: 2 }), undefined);
    assert.equal(gate(null, { retiredAt: hoursAgo(0) }, { quietHours: 0 }), undefined);
  });

  const ownTimes: readonly [string, string, boolean][] = [
    ["while we verified it", "2027-01-10T12:00:10.000Z", true],
    ["at the very last verification", "2027-01-10T12:00:30.000Z", true],
    ["five seconds after the last verification, by AWS's clock", "2027-01-10T12:00:35.000Z", true],
    ["five seconds before its creation, by AWS's clock", "2027-01-10T11:59:55.000Z", true],
    ["more than five seconds after the last verification", "2027-01-10T12:00:35.001Z", false],
    ["more than five seconds before its creation", "2027-01-10T11:59:54.999Z", false],
  ];
  for (const [when, at, isOwn] of ownTimes) {
    it(`${isOwn ? "sets aside" : "counts"} a use by STS ${when}`, () => {
      const wide = { quietHours: 24 * 365 };
      const key = { retiredAt: hoursAgo(24 * 365) };
      assert.equal(gate(used(at, "sts"), key, wide) === undefined, isOwn);
    });
  }

  it("sets aside a use by STS in the minute of its creation: IAM tells no seconds", () => {
    const wide = { quietHours: 24 * 365 };
    const key = {
      createdAt: "2027-01-10T12:00:40.000Z",
      verifiedAt: "2027-01-10T12:00:55.000Z",
      retiredAt: hoursAgo(24 * 365),
    };
    assert.equal(gate(used("2027-01-10T12:00:00.000Z", "sts"), key, wide), undefined);
    assert.ok(gate(used("2027-01-10T11:59:00.000Z", "sts"), key, wide));
  });

  it("counts a use at our own time by another service, in another region, or of a key that we never verified", () => {
    const at = "2027-01-10T12:00:10.000Z";
    const wide = { quietHours: 24 * 365 };
    const key = { retiredAt: hoursAgo(24 * 365) };
    assert.equal(gate(used(at, "sts"), key, wide), undefined);
    assert.ok(gate(used(at, "s3"), key, wide));
    assert.ok(gate(used(at, "sts", "us-east-1"), key, wide));
    assert.ok(gate(used(at, "sts"), { ...key, verifiedAt: null }, wide));
  });

  it("knows our own verification by the region where it was done, also after the rotation's region changed", () => {
    const at = "2027-01-10T12:00:10.000Z";
    const wide = { quietHours: 24 * 365 };
    const key = { retiredAt: hoursAgo(24 * 365), verifiedIn: "us-east-1" };
    assert.equal(gate(used(at, "sts", "us-east-1"), key, wide), undefined);
    assert.ok(gate(used(at, "sts", "eu-west-1"), key, wide));
  });

  const leftoverTimes: readonly [string, string, boolean][] = [
    ["when its run can have verified it last", "2027-01-10T12:05:00.000Z", true],
    ["five seconds after that, by AWS's clock", "2027-01-10T12:05:05.000Z", true],
    ["more than five seconds after that", "2027-01-10T12:05:05.001Z", false],
    ["more than five seconds before its creation", "2027-01-10T11:59:54.999Z", false],
  ];
  for (const [when, at, isOwn] of leftoverTimes) {
    it(`${isOwn ? "sets aside" : "counts"} a use by STS of a leftover, whose verification nobody recorded, ${when}`, () => {
      const leftover = { state: "leftover", verifiedAt: null, retiredAt: null } as const;
      assert.equal(gate(used(at, "sts"), leftover, { quietHours: 24 * 365 }) === undefined, isOwn);
    });
  }

  it("counts a use of a leftover by another service, or in another region, at any time", () => {
    const leftover = { state: "leftover", verifiedAt: null, retiredAt: null } as const;
    const wide = { quietHours: 24 * 365 };
    assert.ok(gate(used("2027-01-10T12:00:10.000Z", "s3"), leftover, wide));
    assert.ok(gate(used("2027-01-10T12:00:10.000Z", "sts", "us-east-1"), leftover, wide));
  });

  it("keeps to the hours after it stopped being current, also where the only use was our own", () => {
    const own = used("2027-01-10T12:00:10.000Z", "sts");
    assert.equal(gate(own, { retiredAt: hoursAgo(1) })?.until, "2027-02-10T15:00:00.000Z");
  });

  it("says no, whatever is known, when the policy is to retire", () => {
    const keys = fc.record({ retiredAt: fc.constantFrom(null, hoursAgo(0), hoursAgo(100)) });
    const uses = fc.constantFrom<LastUse | null | undefined>(undefined, null, used(hoursAgo(0)), used(hoursAgo(30)));
    fc.assert(
      fc.property(keys, uses, (key, lastUse) => assert.equal(gate(lastUse, key, { whenInUse: "retire" }), undefined)),
    );
  });

  it("gives an instant at which, if nothing uses the key any more, it no longer counts as in use", () => {
    const times = fc.integer({ min: 0, max: 100 * HOUR }).map((ago) => new Date(NOW.getTime() - ago).toISOString());
    fc.assert(
      fc.property(times, times, fc.nat(72), (usedAt, retiredAt, quietHours) => {
        const seen = used(usedAt);
        const answer = gate(seen, { retiredAt }, { quietHours });
        if (!answer) return;
        assert.ok(answer.until && Date.parse(answer.until) > NOW.getTime());
        // Two reasons can hold one after the other; then the second gives the end.
        const later = inUse({ ...previous, retiredAt }, seen, { ...policy, quietHours }, OWN, new Date(answer.until));
        assert.ok(!later || Date.parse(later.until ?? "") > Date.parse(answer.until));
      }),
    );
  });
});
