import assert from "node:assert/strict";

import { EMPTY_RING, type KeyRecord, type KeyRing, type KeyState } from "../../provider/src/rotation/keyRing";
import { type Intent, keysThatMayGo, type Plan, planRotation, type Situation } from "../../provider/src/rotation/plan";
import type { LastUse } from "../../provider/src/rotation/ports";
import { credentialOf } from "../support/arbitraries";

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
  changes: Partial<Situation> = {},
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
    own: { region: "us-east-1", rotationSeconds: 300 },
    ledgerWrittenBy: undefined,
    isLedgerOff: false,
    now: NOW,
    ...changes,
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

/** A new key, after so many deletions: announced before the first write. */
const making = (...deletions: string[]) => ["announce", ...deletions, "create", "verifyAndHandOver"];
const NEW = making();
const oneKey = ringOf(["K1", "current"]);
const twoKeys = ringOf(["K2", "current"], ["K1", "previous"]);
const inactive = ringOf(["K2", "current"], ["K1", "inactive"]);
const pending = ringOf(["K1", "current"], ["P", "pending"]);
const firstPending = ringOf(["P", "pending"]);

const leftover = ringOf(["L", "leftover"]);
const OURS: LastUse = { at: "2027-01-10T08:34:00.000Z", service: "sts", region: "us-east-1" };
const USED_LONG_AGO: LastUse = { at: "2027-01-10T09:00:00.000Z", service: "s3", region: "us-east-1" };

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
    making("delete K1"),
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
    making("delete K1"),
  ],
  [
    "rotate: does not gate an Inactive previous key",
    plan("rotate", inactive, ["K2", "K1 Inactive"], { K1: USED }),
    making("delete K1"),
  ],
  [
    "rotate: gates an inactive key that somebody enabled again",
    plan("rotate", inactive, ["K2", "K1"], { K1: USED }),
    ["refuse: K1 in use"],
  ],
  [
    "rotate: notes that somebody disabled the previous key, and does not gate it",
    plan("rotate", twoKeys, ["K2", "K1 Inactive"], { K1: USED }),
    ["noteInactive K1", ...making("delete K1")],
  ],
  [
    "rotate: refuses where the second slot is a foreign key's",
    plan("rotate", oneKey, ["K1", "F"]),
    ["refuse: no slot"],
  ],
  [
    "rotate: deletes the disabled current key, not the foreign one, where a slot is needed",
    plan("rotate", oneKey, ["K1 Inactive", "F"]),
    making("delete K1"),
  ],
  ["rotate: leaves the disabled current key where a slot is free", plan("rotate", oneKey, ["K1 Inactive"]), NEW],
  [
    "rotate: deletes the disabled current key before the previous one that works",
    plan("rotate", twoKeys, ["K2 Inactive", "K1"]),
    making("delete K2"),
  ],
  ["rotate: forgets a current key that is gone", plan("rotate", oneKey, []), ["forget K1", ...NEW]],
  ["rotate: forgets both where both are gone", plan("rotate", twoKeys, []), ["forget K2", "forget K1", ...NEW]],
  [
    "rotate: takes leftovers before the previous key",
    plan("rotate", ringOf(["K2", "previous"], ["L", "leftover"]), ["K2", "L"]),
    making("delete L"),
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
    making("delete K2", "delete K1"),
  ],
  [
    "rotate: deletes nothing where even all of ours would not free a slot",
    plan("rotate", twoKeys, ["K2", "K1", "F"]),
    ["refuse: no slot"],
  ],
  // Leftovers in a creation: its own killed attempt, or the keys of a forced replacement?
  [
    "create: keeps leftovers where a slot is free",
    plan("create", leftover, ["L"], {}, "wait", { ledgerWrittenBy: "create" }),
    NEW,
  ],
  [
    "create: deletes a leftover of creations that was never used, where a slot is needed",
    plan("create", leftover, ["L", "F"], {}, "wait", { ledgerWrittenBy: "create" }),
    making("delete L"),
  ],
  [
    "create: deletes one of creations that only we ever used",
    plan("create", leftover, ["L", "F"], { L: OURS }, "wait", { ledgerWrittenBy: "create" }),
    making("delete L"),
  ],
  [
    "create: refuses where somebody used it, however long ago, and even where the policy is to retire",
    plan("create", leftover, ["L", "F"], { L: USED_LONG_AGO }, "retire", { ledgerWrittenBy: "create" }),
    ["refuse: no slot"],
  ],
  [
    "create: refuses where its last use cannot be read",
    plan("create", leftover, ["L", "F"], { L: undefined }, "wait", { ledgerWrittenBy: "create" }),
    ["refuse: no slot"],
  ],
  [
    "create: refuses where the ledger is of a later generation, so that the key may have been published",
    plan("create", leftover, ["L", "F"], {}, "wait", { ledgerWrittenBy: "takeover" }),
    ["refuse: no slot"],
  ],
  [
    "create: deletes no more leftovers than the slot takes",
    plan("create", ringOf(["L", "leftover"], ["M", "leftover"]), ["L", "M"], {}, "wait", { ledgerWrittenBy: "create" }),
    making("delete L"),
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
    making("delete P"),
  ],
  [
    "settle: goes on with the pending key of a creation that failed",
    plan("settle", firstPending, ["P"]),
    ["verifyAndHandOver"],
  ],
  [
    "settle: makes the first key anew where that of a failed creation is Inactive",
    plan("settle", firstPending, ["P Inactive", "F"]),
    making("delete P"),
  ],
  [
    "settle: deletes a pending key where there is a current one",
    plan("settle", pending, ["K1", "P"]),
    ["delete P", "settle"],
  ],
  ["settle: forgets a pending key that is gone", plan("settle", pending, ["K1"]), ["forget P", "settle"]],
  // Settling and retiring
  ["settle: writes the ledger alone where all is as known", plan("settle", twoKeys, ["K2", "K1"]), ["settle"]],
  ["settle: forgets a previous key that is gone", plan("settle", twoKeys, ["K2"]), ["forget K1", "settle"]],
  [
    "settle: keeps a current key that is gone in mind: only a rotation may heal that",
    plan("settle", twoKeys, ["K1"]),
    ["settle"],
  ],
  [
    "settle: notes a disabled previous key",
    plan("settle", twoKeys, ["K2", "K1 Inactive"]),
    ["noteInactive K1", "settle"],
  ],
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
  [
    "retire: writes the ledger alone where the previous key is gone",
    plan("retire", twoKeys, ["K2"]),
    ["forget K1", "settle"],
  ],
  [
    "retire: writes the ledger alone where somebody was faster",
    plan("retire", twoKeys, ["K2", "K1 Inactive"]),
    ["noteInactive K1", "settle"],
  ],
  [
    "retire: writes the ledger first where it is not as the ring",
    plan("retire", twoKeys, ["K2", "K1"], {}, "wait", { isLedgerOff: true }),
    ["settle", "deactivate K1"],
  ],
  [
    "settle: keeps a leftover: nothing needs its slot",
    plan("settle", ringOf(["K1", "current"], ["L", "leftover"]), ["K1", "L"]),
    ["settle"],
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
      "P",
    ]);
  });
});
