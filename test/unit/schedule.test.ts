import assert from "node:assert/strict";

import fc from "fast-check";

import { nextRotationAt, type Schedule } from "../../provider/src/rotation/schedule";

const MINUTE = 60_000;
const DAY = 86_400_000;

interface Vector {
  readonly says: string;
  readonly last: string;
  readonly isManual: boolean;
  readonly every: number;
  readonly time: string;
  readonly next: string;
}

/** The API's own behaviour: the vectors of its server and tests. */
const API_VECTORS: readonly Vector[] = [
  {
    says: "created past midnight, due at midnight: a day more, so that a whole interval elapses",
    last: "2025-01-10T08:30:00.000Z",
    isManual: true,
    every: 30,
    time: "00:00",
    next: "2025-02-10T00:00:00.000Z",
  },
  {
    says: "created before the time of day: the interval alone",
    last: "2025-01-10T08:30:00.000Z",
    isManual: true,
    every: 30,
    time: "12:00",
    next: "2025-02-09T12:00:00.000Z",
  },
  {
    says: "by hand at the very time of day: a day more",
    last: "2025-01-10T12:00:00.000Z",
    isManual: true,
    every: 30,
    time: "12:00",
    next: "2025-02-10T12:00:00.000Z",
  },
  {
    says: "automatic, some seconds late: no day more",
    last: "2025-02-09T12:00:04.000Z",
    isManual: false,
    every: 30,
    time: "12:00",
    next: "2025-03-11T12:00:00.000Z",
  },
  {
    says: "automatic, slipped past midnight: anchored to the day on which it ran",
    last: "2025-02-10T00:03:00.000Z",
    isManual: false,
    every: 30,
    time: "23:59",
    next: "2025-03-12T23:59:00.000Z",
  },
  {
    says: "by hand a second before the time of day: the interval alone",
    last: "2025-01-10T11:59:59.000Z",
    isManual: true,
    every: 1,
    time: "12:00",
    next: "2025-01-11T12:00:00.000Z",
  },
];

const MORE_VECTORS: readonly Vector[] = [
  {
    says: "seconds do not count: 12:00:59 is at 12:00",
    last: "2025-01-10T12:00:59.999Z",
    isManual: true,
    every: 1,
    time: "12:00",
    next: "2025-01-12T12:00:00.000Z",
  },
  {
    says: "by hand in the last minute of the day",
    last: "2025-01-10T23:59:59.999Z",
    isManual: true,
    every: 1,
    time: "23:59",
    next: "2025-01-12T23:59:00.000Z",
  },
  {
    says: "by hand a minute before the last of the day",
    last: "2025-01-10T23:58:59.999Z",
    isManual: true,
    every: 1,
    time: "23:59",
    next: "2025-01-11T23:59:00.000Z",
  },
  {
    says: "over the end of the year",
    last: "2026-12-31T06:00:00.000Z",
    isManual: false,
    every: 1,
    time: "06:00",
    next: "2027-01-01T06:00:00.000Z",
  },
  {
    says: "over the end of a short month",
    last: "2027-01-30T06:00:00.000Z",
    isManual: false,
    every: 30,
    time: "06:00",
    next: "2027-03-01T06:00:00.000Z",
  },
  {
    says: "onto a leap day",
    last: "2028-01-30T06:00:00.000Z",
    isManual: false,
    every: 30,
    time: "06:00",
    next: "2028-02-29T06:00:00.000Z",
  },
  {
    says: "from a leap day, over a year",
    last: "2028-02-29T06:00:00.000Z",
    isManual: false,
    every: 365,
    time: "06:00",
    next: "2029-02-28T06:00:00.000Z",
  },
  {
    says: "over February of a century that is no leap year",
    last: "2100-02-28T06:00:00.000Z",
    isManual: false,
    every: 1,
    time: "06:00",
    next: "2100-03-01T06:00:00.000Z",
  },
];

const scheduleOf = (every: number, time: string): Schedule => {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return { isAutoRotationEnabled: true, rotationInterval: every, rotateAtUtc: { hours, minutes } };
};

const instants = fc
  .date({ min: new Date("2020-01-01T00:00:00Z"), max: new Date("2100-01-01T00:00:00Z"), noInvalidDate: true })
  .map((date) => date.toISOString());
const schedules = fc
  .record({
    every: fc.oneof(fc.integer({ min: 1, max: 800 }), fc.integer({ min: 1, max: 1_000_000 })),
    hours: fc.integer({ min: 0, max: 23 }),
    minutes: fc.integer({ min: 0, max: 59 }),
  })
  .map(({ every, hours, minutes }): Schedule => scheduleOf(every, `${hours}:${minutes}`));

const next = (schedule: Schedule, at: string, manual: boolean): number => {
  const text = nextRotationAt(schedule, { at, manual });
  assert.ok(text);
  return Date.parse(text);
};
const dayOf = (time: number) => Math.floor(time / DAY);

describe("The instant of the next rotation", () => {
  for (const { says, last, isManual, every, time, next: expected } of [...API_VECTORS, ...MORE_VECTORS]) {
    it(`is, every ${every} days at ${time}, ${says}`, () => {
      assert.equal(nextRotationAt(scheduleOf(every, time), { at: last, manual: isManual }), expected);
    });
  }

  it("is none when automatic rotation is off", () => {
    fc.assert(
      fc.property(schedules, instants, fc.boolean(), (schedule, at, manual) => {
        assert.equal(nextRotationAt({ ...schedule, isAutoRotationEnabled: false }, { at, manual }), null);
      }),
    );
  });

  it("is at the time of day of the schedule, to the millisecond", () => {
    fc.assert(
      fc.property(schedules, instants, fc.boolean(), (schedule, at, manual) => {
        const { hours, minutes } = schedule.rotateAtUtc;
        assert.equal(next(schedule, at, manual) % DAY, (hours * 60 + minutes) * MINUTE);
      }),
    );
  });

  it("is never in the past right after a rotation, and never at that very instant", () => {
    fc.assert(
      fc.property(schedules, instants, fc.boolean(), (schedule, at, manual) => {
        assert.ok(next(schedule, at, manual) > Date.parse(at));
      }),
    );
  });

  it("is a whole interval and less than a day more after a rotation by hand, counted in minutes", () => {
    fc.assert(
      fc.property(schedules, instants, (schedule, at) => {
        const minute = Math.floor(Date.parse(at) / MINUTE) * MINUTE;
        const waited = next(schedule, at, true) - minute;
        const interval = schedule.rotationInterval * DAY;
        assert.ok(waited > interval || waited === interval + DAY, "a whole interval");
        assert.ok(waited <= interval + DAY, "not more than a day beyond it");
      }),
    );
  });

  it("is on the day of an automatic rotation plus the interval, however late in the day that ran", () => {
    fc.assert(
      fc.property(schedules, instants, (schedule, at) => {
        assert.equal(dayOf(next(schedule, at, false)) - dayOf(Date.parse(at)), schedule.rotationInterval);
      }),
    );
  });

  it("is never earlier after a later rotation", () => {
    fc.assert(
      fc.property(schedules, instants, instants, fc.boolean(), (schedule, one, other, manual) => {
        const [earlier = "", later = ""] = [one, other].sort();
        assert.ok(next(schedule, earlier, manual) <= next(schedule, later, manual));
      }),
    );
  });

  it("is later by exactly the days that an interval is longer", () => {
    fc.assert(
      fc.property(
        schedules,
        instants,
        fc.boolean(),
        fc.integer({ min: 1, max: 10_000 }),
        (schedule, at, manual, days) => {
          const longer = { ...schedule, rotationInterval: schedule.rotationInterval + days };
          assert.equal(next(longer, at, manual) - next(schedule, at, manual), days * DAY);
        },
      ),
    );
  });

  it("counts days right for every interval up to two years, from every day of four years", () => {
    const first = Date.parse("2026-01-01T13:00:00Z");
    for (let every = 1; every <= 731; every += 1) {
      const last = first + ((every * 37) % 1461) * DAY;
      const due = next(scheduleOf(every, "04:05"), new Date(last).toISOString(), false);
      assert.equal(dayOf(due) - dayOf(last), every);
    }
  });

  it("keeps a four-digit year for the longest interval that is taken", () => {
    const due = nextRotationAt(scheduleOf(1_000_000, "23:59"), { at: "2100-12-31T23:59:00.000Z", manual: true });
    assert.match(due ?? "", /^\d{4}-/);
  });

  it("is the same wherever the machine stands", () => {
    const before = process.env["TZ"];
    try {
      for (const zone of ["UTC", "America/St_Johns", "Pacific/Kiritimati", "Pacific/Pago_Pago"]) {
        process.env["TZ"] = zone;
        for (const { last, isManual, every, time, next: expected } of API_VECTORS) {
          assert.equal(nextRotationAt(scheduleOf(every, time), { at: last, manual: isManual }), expected, zone);
        }
      }
    } finally {
      if (before === undefined) delete process.env["TZ"];
      else process.env["TZ"] = before;
    }
  });
});
