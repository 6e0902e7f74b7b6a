import assert from "node:assert/strict";

import fc from "fast-check";

import { UNKNOWN } from "../../provider/src/contract/unknown";
import {
  advanceRotation,
  firstRotation,
  nextRotationAt,
  type Rotation,
  type ScheduledInputs,
} from "../../provider/src/rotation/schedule";

const inputs: ScheduledInputs = {
  isAutoRotationEnabled: true,
  rotationInterval: 30,
  rotateAtUtc: { hours: 0, minutes: 0 },
  previousKey: {},
};

/** Rotated by schedule on 10 February: due on 12 March. */
const old: Rotation = {
  number: 3,
  at: "2027-02-10T09:00:00.000Z",
  manual: false,
  reason: "due",
  previousKey: "active",
};
const BEFORE = new Date("2027-03-11T23:59:59.999Z");
const DUE = new Date("2027-03-12T00:00:00.000Z");

const advance = (changes: Partial<ScheduledInputs>, now: Date, rotation: Partial<Rotation> = {}, trigger?: string) =>
  advanceRotation(
    { rotation: { ...old, ...rotation }, ...(trigger !== undefined && { rotationTrigger: trigger }) },
    { ...inputs, ...changes },
    now,
  );

const by = (manual: boolean, reason: string, now: Date): Rotation => ({
  number: 4,
  at: now.toISOString(),
  manual,
  reason,
  previousKey: "active",
});

describe("What is due", () => {
  it("is the first key, by hand, for a rotation that does not exist yet", () => {
    assert.deepEqual(firstRotation(DUE), {
      number: 0,
      at: "2027-03-12T00:00:00.000Z",
      manual: true,
      reason: "created",
      previousKey: "none",
    });
  });

  it("is nothing a millisecond before the instant", () => assert.deepEqual(advance({}, BEFORE), old));

  it("is a rotation from the very instant on, with a reason that says since when and how often", () => {
    const reason = "due since 2027-03-12T00:00:00.000Z: every 30 days at 00:00 UTC";
    assert.deepEqual(advance({}, DUE), by(false, reason, DUE));
  });

  it("is one rotation, however many intervals were missed", () => {
    const late = new Date("2029-01-01T05:00:00.000Z");
    const rotated = advance({}, late);
    assert.equal(rotated.number, 4);
    assert.equal(rotated.at, late.toISOString());
    assert.deepEqual(advanceRotation({ rotation: rotated }, inputs, late), rotated);
  });

  it("says day for an interval of one, and gives the time of day with two digits", () => {
    const { reason } = advance({ rotationInterval: 1, rotateAtUtc: { hours: 9, minutes: 5 } }, DUE);
    assert.equal(reason, "due since 2027-02-11T09:05:00.000Z: every day at 09:05 UTC");
  });

  it("follows a changed interval and a changed time of day from the old anchor, into the past too", () => {
    assert.equal(advance({ rotationInterval: 60 }, DUE).number, 3);
    assert.equal(advance({ rotationInterval: 7 }, BEFORE).number, 4);
    assert.equal(advance({ rotateAtUtc: { hours: 0, minutes: 1 } }, DUE).number, 3);
  });

  it("is nothing while automatic rotation is off, and the missed rotation once it is on again", () => {
    assert.deepEqual(advance({ isAutoRotationEnabled: false }, DUE), old);
    assert.equal(advance({ isAutoRotationEnabled: true }, DUE).number, 4);
  });

  it("is a rotation by hand for a new rotationTrigger, also the first one and while automatic rotation is off", () => {
    const reason = "rotationTrigger has a new value";
    assert.deepEqual(advance({ rotationTrigger: "2" }, BEFORE, {}, "1"), by(true, reason, BEFORE));
    assert.deepEqual(advance({ rotationTrigger: "1" }, BEFORE), by(true, reason, BEFORE));
    assert.deepEqual(
      advance({ rotationTrigger: "2", isAutoRotationEnabled: false }, BEFORE, {}, "1"),
      by(true, reason, BEFORE),
    );
  });

  it("is nothing when rotationTrigger stays, or is taken away", () => {
    assert.deepEqual(advance({ rotationTrigger: "1" }, BEFORE, {}, "1"), old);
    assert.deepEqual(advance({}, BEFORE, {}, "1"), old);
    assert.deepEqual(advance({ rotationTrigger: "" }, BEFORE, {}, ""), old);
  });

  it("is a rotation by hand for drift, with the drift as its reason, which the new anchor no longer holds", () => {
    const reason = "the current key AKIA0001 is no longer on the user";
    assert.deepEqual(advance({}, BEFORE, { drift: reason }), by(true, reason, BEFORE));
    assert.deepEqual(advance({ isAutoRotationEnabled: false }, BEFORE, { drift: reason }), by(true, reason, BEFORE));
  });

  it("takes the trigger before the drift, and the drift before the schedule", () => {
    assert.equal(advance({ rotationTrigger: "1" }, DUE, { drift: "gone" }).reason, "rotationTrigger has a new value");
    assert.equal(advance({}, DUE, { drift: "gone" }).reason, "gone");
    assert.equal(advance({ rotationTrigger: "1" }, DUE).manual, true);
  });

  it("is the retirement of the previous key once its hours are over, and nothing else of the anchor moves", () => {
    const policy = { previousKey: { deactivateAfterHours: 24 } };
    assert.deepEqual(advance(policy, new Date("2027-02-11T08:59:59.999Z")), old);
    assert.deepEqual(advance(policy, new Date("2027-02-11T09:00:00.000Z")), { ...old, previousKey: "inactive" });
  });

  it("is the retirement at the first update after the rotation for 0 hours", () => {
    const now = new Date(old.at);
    assert.deepEqual(advance({ previousKey: { deactivateAfterHours: 0 } }, now), { ...old, previousKey: "inactive" });
  });

  it("is no retirement without hours, without a previous key, or twice", () => {
    assert.deepEqual(advance({}, BEFORE), old);
    for (const previousKey of ["none", "inactive"] as const) {
      const policy = { previousKey: { deactivateAfterHours: 0 } };
      assert.deepEqual(advance(policy, BEFORE, { previousKey }), { ...old, previousKey });
    }
  });

  it("is no retirement any more where the hours were raised or taken out while it was held back", () => {
    const now = new Date("2027-02-11T09:00:00.000Z");
    const heldBack = { previousKey: "inactive" } as const;
    assert.equal(advance({ previousKey: { deactivateAfterHours: 24 } }, now, heldBack).previousKey, "inactive");
    assert.equal(advance({ previousKey: { deactivateAfterHours: 25 } }, now, heldBack).previousKey, "active");
    assert.equal(advance({}, now, heldBack).previousKey, "active");
  });

  it("is the rotation where a retirement is due as well", () => {
    assert.equal(advance({ previousKey: { deactivateAfterHours: 24 } }, DUE).previousKey, "active");
    assert.equal(advance({ previousKey: { deactivateAfterHours: 24 } }, DUE).number, 4);
  });

  const unknowns: readonly [string, object][] = [
    ["isAutoRotationEnabled", { isAutoRotationEnabled: UNKNOWN }],
    ["rotationInterval", { rotationInterval: UNKNOWN }],
    ["rotateAtUtc", { rotateAtUtc: UNKNOWN }],
    ["rotateAtUtc.hours", { rotateAtUtc: { hours: UNKNOWN, minutes: 0 } }],
    ["rotationTrigger", { rotationTrigger: UNKNOWN }],
    ["previousKey", { previousKey: UNKNOWN }],
    ["previousKey.quietHours", { previousKey: { quietHours: UNKNOWN } }],
  ];
  for (const [path, changes] of unknowns) {
    it(`is nothing while ${path} is not known, whatever else is due`, () => {
      assert.deepEqual(advance(changes, DUE, { drift: "gone" }, "1"), { ...old, drift: "gone" });
    });
  }

  it("is, for every schedule, exactly one rotation per due instant", () => {
    const schedules = fc.record({
      isAutoRotationEnabled: fc.boolean(),
      rotationInterval: fc.integer({ min: 1, max: 400 }),
      rotateAtUtc: fc.record({ hours: fc.integer({ min: 0, max: 23 }), minutes: fc.integer({ min: 0, max: 59 }) }),
      previousKey: fc.record({ deactivateAfterHours: fc.nat(50) }, { requiredKeys: [] }),
    });
    const instants = fc.date({ min: new Date("2026-01-01"), max: new Date("2040-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(schedules, instants, instants, fc.boolean(), (schedule, at, now, manual) => {
        const rotation = { ...old, at: at.toISOString(), manual };
        const due = nextRotationAt(schedule, rotation);
        const isDue = due !== null && Date.parse(due) <= now.getTime();
        const after = advanceRotation({ rotation }, schedule, now);
        assert.equal(after.number, rotation.number + (isDue ? 1 : 0));
        // A second run at the same instant never rotates again.
        assert.equal(advanceRotation({ rotation: after }, schedule, now).number, after.number);
      }),
    );
  });
});
