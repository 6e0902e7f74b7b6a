import assert from "node:assert/strict";

import fc from "fast-check";

import { inUse } from "../../provider/src/rotation/gate";
import { EMPTY_RING, type KeyRecord, type KeyRing, type KeyState } from "../../provider/src/rotation/keyRing";
import {
  ACCESS_KEYS_PER_USER,
  type Intent,
  keysThatMayGo,
  type Plan,
  planRotation,
  type Situation,
  type Step,
} from "../../provider/src/rotation/plan";
import type { LastUse } from "../../provider/src/rotation/ports";
import { credentialOf, situations } from "../support/arbitraries";

const NOW = new Date("2027-03-12T12:00:00.000Z");
const LONG_AGO = "2027-01-10T08:30:00.000Z";

/** A ring as "K1 current, K2 previous" in few words. */
function ringOf(...keys: readonly [string, KeyState][]): KeyRing {
  const records = keys.map(([accessKeyId, state]): KeyRecord => ({
    accessKeyId,
    state,
    createdAt: LONG_AGO,
    verifiedAt: null,
    retiredAt: state === "current" || state === "pending" ? null : LONG_AGO,
    lastUsedAt: null,
  }));
  const pending = keys.find(([, state]) => state === "pending");
  const slots = keys.filter(([, state]) => state !== "pending");
  return {
    activeIndex: 0,
    generatedCredentials: slots.map(([id]) => credentialOf(id)).slice(0, 2),
    pendingCredentials: pending ? credentialOf(pending[0]) : null,
    keys: records,
  };
}

const USED: LastUse = { at: "2027-03-12T11:00:00.000Z", service: "s3", region: "us-east-1" };

/** Plans for keys listed as "K1", or "K1 Inactive"; each was never used unless `uses` says otherwise. */
function plan(
  intent: Intent,
  ring: KeyRing,
  listed: readonly string[],
  uses: Readonly<Record<string, LastUse | undefined>> = {},
  whenInUse: "wait" | "retire" = "wait",
): Plan {
  const keys = listed.map((text) => {
    const [accessKeyId = "", status = "Active"] = text.split(" ");
    return { accessKeyId, status, createdAt: LONG_AGO };
  });
  const lastUses = new Map<string, LastUse | null>();
  for (const { accessKeyId } of keys) {
    const use = accessKeyId in uses ? uses[accessKeyId] : null;
    if (use !== undefined) lastUses.set(accessKeyId, use);
  }
  return planRotation({
    intent,
    ring,
    listed: keys,
    lastUses,
    policy: { quietHours: 24, whenInUse },
    region: "us-east-1",
    now: NOW,
  });
}

/** The steps in few words; a refusal as its kind. */
function wordsOf({ steps, refusal, heldBack }: Plan): string[] {
  if (refusal) {
    return [refusal.kind === "inUse" ? `refuse: ${refusal.inUse.accessKeyId} in use` : "refuse: no slot"];
  }
  return [
    ...steps.map((step) => ("accessKeyId" in step ? `${step.kind} ${step.accessKeyId}` : step.kind)),
    ...heldBack.map(({ accessKeyId }) => `hold back ${accessKeyId}`),
  ];
}

const NEW = ["create", "verifyAndHandOver"];
const oneKey = ringOf(["K1", "current"]);
const twoKeys = ringOf(["K2", "current"], ["K1", "previous"]);
const inactive = ringOf(["K2", "current"], ["K1", "inactive"]);
const pending = ringOf(["K1", "current"], ["P", "pending"]);
const firstPending = ringOf(["P", "pending"]);

const CASES: readonly [string, Plan, readonly string[]][] = [
  // Creation
  ["create: makes the first key of a user without keys", plan("create", EMPTY_RING, []), NEW],
  ["create: makes it beside a foreign key", plan("create", EMPTY_RING, ["F"]), NEW],
  ["create: refuses where two foreign keys stand", plan("create", EMPTY_RING, ["F", "G"]), ["refuse: no slot"]],
  [
    "create: refuses beside foreign keys that are Inactive too, since they take a slot",
    plan("create", EMPTY_RING, ["F Inactive", "G Inactive"]),
    ["refuse: no slot"],
  ],
  // Rotation
  ["rotate: makes a second key beside the current one", plan("rotate", oneKey, ["K1"]), NEW],
  [
    "rotate: deletes the previous key first where no slot is free",
    plan("rotate", twoKeys, ["K2", "K1"]),
    ["delete K1", ...NEW],
  ],
  [
    "rotate: leaves the previous key alone where IAM's list says that a slot is free",
    plan("rotate", ringOf(["K1", "previous"]), ["K1"]),
    NEW,
  ],
  [
    "rotate: refuses while the previous key is in use",
    plan("rotate", twoKeys, ["K2", "K1"], { K1: USED }),
    ["refuse: K1 in use"],
  ],
  [
    "rotate: refuses while the previous key's last use cannot be read",
    plan("rotate", twoKeys, ["K2", "K1"], { K1: undefined }),
    ["refuse: K1 in use"],
  ],
  [
    "rotate: deletes a previous key in use where the policy is to retire",
    plan("rotate", twoKeys, ["K2", "K1"], { K1: USED }, "retire"),
    ["delete K1", ...NEW],
  ],
  [
    "rotate: does not gate an Inactive previous key",
    plan("rotate", inactive, ["K2", "K1 Inactive"], { K1: USED }),
    ["delete K1", ...NEW],
  ],
  [
    "rotate: gates an inactive key that somebody enabled again",
    plan("rotate", inactive, ["K2", "K1"], { K1: USED }),
    ["refuse: K1 in use"],
  ],
  [
    "rotate: notes that somebody disabled the previous key, and does not gate it",
    plan("rotate", twoKeys, ["K2", "K1 Inactive"], { K1: USED }),
    ["noteInactive K1", "delete K1", ...NEW],
  ],
  [
    "rotate: refuses where the second slot is a foreign key's",
    plan("rotate", oneKey, ["K1", "F"]),
    ["refuse: no slot"],
  ],
  [
    "rotate: deletes the disabled current key, not the foreign one, where a slot is needed",
    plan("rotate", oneKey, ["K1 Inactive", "F"]),
    ["delete K1", ...NEW],
  ],
  ["rotate: leaves the disabled current key where a slot is free", plan("rotate", oneKey, ["K1 Inactive"]), NEW],
  [
    "rotate: deletes the disabled current key before the previous one that works",
    plan("rotate", twoKeys, ["K2 Inactive", "K1"]),
    ["delete K2", ...NEW],
  ],
  ["rotate: forgets a current key that is gone", plan("rotate", oneKey, []), ["forget K1", ...NEW]],
  ["rotate: forgets both where both are gone", plan("rotate", twoKeys, []), ["forget K2", "forget K1", ...NEW]],
  [
    "rotate: takes leftovers before the previous key",
    plan("rotate", ringOf(["K2", "previous"], ["L", "leftover"]), ["K2", "L"]),
    ["delete L", ...NEW],
  ],
  [
    "rotate: refuses where a leftover that has to go is in use",
    plan("rotate", ringOf(["K2", "current"], ["L", "leftover"]), ["K2", "L"], { L: USED }),
    ["refuse: L in use"],
  ],
  [
    "rotate: frees two slots where somebody has more keys than the quota",
    plan("rotate", ringOf(["K3", "current"], ["K2", "inactive"], ["K1", "inactive"]), [
      "K3",
      "K2 Inactive",
      "K1 Inactive",
    ]),
    ["delete K2", "delete K1", ...NEW],
  ],
  [
    "rotate: deletes nothing where even all of ours would not free a slot",
    plan("rotate", twoKeys, ["K2", "K1", "F"]),
    ["refuse: no slot"],
  ],
  // Pending
  ["rotate: goes on with a pending key", plan("rotate", pending, ["K1", "P"]), ["verifyAndHandOver"]],
  [
    "rotate: drops a pending key that is gone and makes a new one",
    plan("rotate", pending, ["K1"]),
    ["forget P", ...NEW],
  ],
  [
    "rotate: deletes a pending key that is Inactive and makes a new one in its slot",
    plan("rotate", pending, ["K1", "P Inactive"]),
    ["delete P", ...NEW],
  ],
  [
    "settle: goes on with the pending key of a creation that failed",
    plan("settle", firstPending, ["P"]),
    ["verifyAndHandOver"],
  ],
  [
    "settle: makes the first key anew where that of a failed creation is Inactive",
    plan("settle", firstPending, ["P Inactive", "F"]),
    ["delete P", ...NEW],
  ],
  ["settle: deletes a pending key where there is a current one", plan("settle", pending, ["K1", "P"]), ["delete P"]],
  ["settle: forgets a pending key that is gone", plan("settle", pending, ["K1"]), ["forget P"]],
  // Settling and retiring
  ["settle: does nothing where all is as known", plan("settle", twoKeys, ["K2", "K1"]), []],
  ["settle: forgets a previous key that is gone", plan("settle", twoKeys, ["K2"]), ["forget K1"]],
  [
    "settle: keeps a current key that is gone in mind: only a rotation may heal that",
    plan("settle", twoKeys, ["K1"]),
    [],
  ],
  ["settle: notes a disabled previous key", plan("settle", twoKeys, ["K2", "K1 Inactive"]), ["noteInactive K1"]],
  ["retire: sets the previous key Inactive", plan("retire", twoKeys, ["K2", "K1"]), ["deactivate K1"]],
  [
    "retire: holds a previous key in use back, which is no refusal",
    plan("retire", twoKeys, ["K2", "K1"], { K1: USED }),
    ["hold back K1"],
  ],
  [
    "retire: sets a previous key in use Inactive where the policy is to retire",
    plan("retire", twoKeys, ["K2", "K1"], { K1: USED }, "retire"),
    ["deactivate K1"],
  ],
  ["retire: has nothing to do where the previous key is gone", plan("retire", twoKeys, ["K2"]), ["forget K1"]],
  [
    "retire: has nothing to do where somebody was faster",
    plan("retire", twoKeys, ["K2", "K1 Inactive"]),
    ["noteInactive K1"],
  ],
  ["retire: leaves foreign keys alone", plan("retire", oneKey, ["K1", "F"]), []],
];

describe("The plan of a run", () => {
  for (const [says, planned, words] of CASES) {
    it(`to ${says}`, () => assert.deepEqual(wordsOf(planned), words));
  }

  it("asks only for the last use of keys that work and may have to go", () => {
    const ring = ringOf(["K3", "current"], ["K2", "previous"], ["K1", "inactive"], ["L", "leftover"], ["P", "pending"]);
    const listed = ["K3", "K2", "L", "P", "F"].map((accessKeyId) => ({ accessKeyId, status: "Active", createdAt: "" }));
    assert.deepEqual(keysThatMayGo(ring, [...listed, { accessKeyId: "K1", status: "Inactive", createdAt: "" }]), [
      "K2",
      "L",
    ]);
  });
});

/** What the user has after each step; a new key is NEW. */
function simulate(situation: Situation, steps: readonly Step[]): { max: number; left: string[] } {
  let keys = situation.listed.map(({ accessKeyId }) => accessKeyId);
  let max = 0;
  for (const step of steps) {
    if (step.kind === "delete") keys = keys.filter((key) => key !== step.accessKeyId);
    if (step.kind === "create") {
      keys.push("NEW");
      max = keys.length;
    }
  }
  return { max, left: keys };
}

describe("Every plan, in any situation", () => {
  const holds = (says: string, property: (situation: Situation, planned: Plan) => void) =>
    it(says, () => {
      fc.assert(
        fc.property(situations, (situation) => property(situation, planRotation(situation))),
        { numRuns: 3_000 },
      );
    });
  const statusOf = ({ listed }: Situation, id: string) => listed.find((key) => key.accessKeyId === id)?.status;
  const stateOf = ({ ring }: Situation, id: string) => ring.keys.find((key) => key.accessKeyId === id)?.state;

  holds("touches no key that the ring does not name", (situation, { steps }) => {
    for (const step of steps ?? []) {
      if ("accessKeyId" in step) assert.ok(stateOf(situation, step.accessKeyId), step.accessKeyId);
    }
  });

  holds("never deletes or disables the current key while it is Active", (situation, { steps }) => {
    for (const step of steps ?? []) {
      if (step.kind !== "delete" && step.kind !== "deactivate") continue;
      const isCurrent = stateOf(situation, step.accessKeyId) === "current";
      assert.ok(!isCurrent || statusOf(situation, step.accessKeyId) !== "Active");
    }
  });

  holds("has no steps where it refuses", (_situation, planned) => {
    if (planned.refusal) assert.equal(planned.steps, undefined);
  });

  holds("makes one key at most, and none where a pending key works", (situation, { steps }) => {
    const creates = (steps ?? []).filter(({ kind }) => kind === "create").length;
    assert.ok(creates <= 1);
    const works = situation.ring.keys.some(
      ({ accessKeyId, state }) => state === "pending" && statusOf(situation, accessKeyId) === "Active",
    );
    if (works) assert.equal(creates, 0);
  });

  holds("leaves a free slot before it makes a key", (situation, { steps }) => {
    if (steps?.some(({ kind }) => kind === "create")) {
      assert.ok(simulate(situation, steps).max <= ACCESS_KEYS_PER_USER);
    }
  });

  holds("deletes no more keys than the slot takes, apart from a pending one", (situation, { steps }) => {
    const deletes = (steps ?? []).filter(({ kind }) => kind === "delete");
    const others = deletes.filter(
      (step) => "accessKeyId" in step && stateOf(situation, step.accessKeyId) !== "pending",
    );
    if (others.length > 0 && steps) assert.equal(simulate(situation, steps).max, ACCESS_KEYS_PER_USER);
  });

  holds(
    "ends a creation, a rotation and a first key in a verified hand-over, as the last step",
    (situation, planned) => {
      const kinds = planned.steps?.map(({ kind }) => kind) ?? [];
      const isRun = situation.intent === "create" || situation.intent === "rotate";
      if (isRun && planned.steps) assert.equal(kinds.at(-1), "verifyAndHandOver");
      if (kinds.includes("create")) assert.equal(kinds.at(-1), "verifyAndHandOver");
      assert.ok(kinds.filter((kind) => kind === "verifyAndHandOver").length <= 1);
    },
  );

  holds("makes no key for a retirement or a settlement while there is a current one", (situation, { steps }) => {
    const hasCurrent = situation.ring.keys.some(({ state }) => state === "current");
    if (hasCurrent && (situation.intent === "retire" || situation.intent === "settle")) {
      assert.ok(!steps?.some(({ kind }) => kind === "create" || kind === "verifyAndHandOver"));
    }
  });

  holds("retires no working key that counts as in use", (situation, { steps }) => {
    for (const step of steps ?? []) {
      if (step.kind !== "delete" && step.kind !== "deactivate") continue;
      const key = situation.ring.keys.find(({ accessKeyId }) => accessKeyId === step.accessKeyId);
      assert.ok(key);
      if (key.state === "pending" || statusOf(situation, key.accessKeyId) !== "Active") continue;
      const { policy, region, now, lastUses } = situation;
      assert.equal(inUse(key, lastUses.get(key.accessKeyId), policy, region, now), undefined);
    }
  });

  holds("deletes nothing when it only retires or settles, apart from a pending key", (situation, { steps }) => {
    if (situation.intent !== "retire" && situation.intent !== "settle") return;
    if (steps?.some(({ kind }) => kind === "create")) return;
    for (const step of steps ?? []) {
      if (step.kind === "delete") assert.equal(stateOf(situation, step.accessKeyId), "pending");
    }
  });

  holds("forgets only keys that are gone", (situation, { steps }) => {
    for (const step of steps ?? []) {
      if (step.kind === "forget") assert.equal(statusOf(situation, step.accessKeyId), undefined);
    }
  });

  holds("is the same for the same situation, and does not change it", (situation, planned) => {
    const before = JSON.stringify(situation);
    assert.deepEqual(planRotation(situation), planned);
    assert.equal(JSON.stringify(situation), before);
  });
});
