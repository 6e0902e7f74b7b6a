import fc from "fast-check";

import { CALM, type Fault, FAULT_KINDS, type FaultKind, type Weather } from "../../support/simulatedCalls";

/** One thing that happens. Histories are lists of them; they shrink to few and calm ones. */
export type Event =
  | {
      readonly kind: "up";
      readonly trigger: boolean;
      readonly refresh: boolean;
      readonly replace: boolean;
      readonly weather: Weather;
    }
  | { readonly kind: "destroy"; readonly weather: Weather }
  | { readonly kind: "wait"; readonly seconds: number }
  | { readonly kind: "use"; readonly which: "published" | "former"; readonly service: "s3" | "sts" }
  | { readonly kind: "set"; readonly change: Readonly<Record<string, unknown>> }
  | { readonly kind: "policy"; readonly change: Readonly<Record<string, unknown>> }
  | { readonly kind: "user"; readonly userName: string }
  | {
      readonly kind: "person";
      readonly act: "add" | "addBeyondQuota" | "delete" | "disable" | "enable";
      readonly index: number;
    }
  /** A person's key is given to the rotation; or `adopt` is taken out of the program. */
  | { readonly kind: "adopt"; readonly isGiven: boolean }
  | { readonly kind: "untag" }
  | { readonly kind: "taggable"; readonly isTaggable: boolean }
  | { readonly kind: "recreateUser" }
  | { readonly kind: "restore"; readonly back: number }
  | { readonly kind: "clock"; readonly offsetSeconds: number };

export const USERS = ["ci-bot", "ci-bot-2"] as const;

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

const fault = (kinds: readonly FaultKind[]): fc.Arbitrary<Fault> =>
  fc.oneof(
    fc.record({
      action: fc.constantFrom(
        "create",
        "tag",
        "delete",
        "user",
        "list",
        "identify",
        "lastUse",
        "caller",
        "deactivate",
        "untag",
      ),
      nth: fc.integer({ min: 1, max: 4 }),
      kind: fc.constantFrom(...kinds),
    }),
    fc.record({
      action: fc.constant("any" as const),
      nth: fc.integer({ min: 1, max: 24 }),
      kind: fc.constantFrom(...kinds),
    }),
  );

/** Faults at certain calls; AWS itself is prompt. */
const faulty = (kinds: readonly FaultKind[] = FAULT_KINDS): fc.Arbitrary<Weather> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant(CALM) },
    {
      weight: 3,
      arbitrary: fc.array(fault(kinds), { minLength: 1, maxLength: 2 }).map((faults) => ({ ...CALM, faults })),
    },
  );

/** Any weather: lagging lists and tags, keys that work late and not monotonically, late reports of uses, faults. */
const wild: fc.Arbitrary<Weather> = fc.oneof(
  { weight: 1, arbitrary: faulty() },
  {
    weight: 1,
    arbitrary: fc.record({
      seed: fc.nat(),
      lagSeconds: fc.constantFrom(0, 5, 60),
      propagationSeconds: fc.constantFrom(0, 15, 100, 200),
      reportHours: fc.constantFrom(0, 4),
      faults: fc.array(fault(FAULT_KINDS), { maxLength: 2 }),
    }),
  },
);

const seconds = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(1, 5, 30, 70) },
  { weight: 2, arbitrary: fc.constantFrom(5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR) },
  { weight: 4, arbitrary: fc.constantFrom(DAY, 3 * DAY, 8 * DAY, 31 * DAY) },
);

const up = (weather: fc.Arbitrary<Weather>, replaces: boolean): fc.Arbitrary<Event> =>
  fc.record({
    kind: fc.constant("up" as const),
    trigger: fc.boolean(),
    refresh: fc.nat(3).map((number) => number === 3),
    replace: replaces ? fc.nat(9).map((number) => number === 9) : fc.constant(false),
    weather,
  });

const wait: fc.Arbitrary<Event> = fc.record({ kind: fc.constant("wait" as const), seconds });

/** A destroy that leaves its keys: from then on they are foreign. */
const leaving: fc.Arbitrary<Event> = fc.record({
  kind: fc.constant("set" as const),
  change: fc.record({ revokeGeneratedCredentials: fc.boolean() }),
});

const setting: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constant("set" as const),
    change: fc.oneof(
      fc.record({ isAutoRotationEnabled: fc.boolean() }),
      fc.record({ rotationInterval: fc.constantFrom(3, 7, 30) }),
      fc.record({ description: fc.constantFrom("one", "another") }),
    ),
  }),
  fc.record({
    kind: fc.constant("policy" as const),
    change: fc.oneof(
      fc.record({ deactivateAfterHours: fc.constantFrom(undefined, 0, 12, 48) }),
      fc.record({ whenInUse: fc.constantFrom("wait", "retire") }),
      fc.record({ quietHours: fc.constantFrom(undefined, 0, 2, 24) }),
    ),
  }),
);

const use = (which: readonly ("published" | "former")[]): fc.Arbitrary<Event> =>
  fc.record({
    kind: fc.constant("use" as const),
    which: fc.constantFrom(...which),
    service: fc.constantFrom("s3", "s3", "sts"),
  });

const adopt: fc.Arbitrary<Event> = fc.record({ kind: fc.constant("adopt" as const), isGiven: fc.boolean() });

/** People, and machines that people have to do with. */
const interference: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("person" as const),
      act: fc.constantFrom("add", "add", "addBeyondQuota", "delete", "disable", "enable"),
      index: fc.nat(2),
    }),
  },
  { weight: 1, arbitrary: leaving },
  { weight: 1, arbitrary: adopt },
  { weight: 1, arbitrary: fc.constant({ kind: "untag" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("taggable" as const), isTaggable: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: "recreateUser" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restore" as const), back: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("clock" as const),
      offsetSeconds: fc.constantFrom(0, -2, 3, -240, 240, 900, -900),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("user" as const), userName: fc.constantFrom(...USERS) }) },
);

const destroy = (weather: fc.Arbitrary<Weather>): fc.Arbitrary<Event> =>
  fc.record({ kind: fc.constant("destroy" as const), weather });

/** Everything at once. */
export const wildHistories: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: up(wild, true) },
    { weight: 5, arbitrary: wait },
    { weight: 4, arbitrary: use(["published", "former"]) },
    { weight: 2, arbitrary: setting },
    { weight: 4, arbitrary: interference },
    { weight: 1, arbitrary: destroy(wild) },
  ),
  { minLength: 5, maxLength: 40, size: "max" },
);

/** No lag and nobody interferes; but every call may fail, and every run may be killed. */
export const quietHistories: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: up(faulty(), false) },
    { weight: 5, arbitrary: wait },
    { weight: 3, arbitrary: use(["published"]) },
    { weight: 2, arbitrary: setting },
    { weight: 1, arbitrary: destroy(faulty()) },
  ),
  { minLength: 5, maxLength: 40, size: "max" },
);
