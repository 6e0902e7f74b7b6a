import assert from "node:assert/strict";

import fc from "fast-check";

import { inUse } from "../../provider/src/rotation/gate";
import {
  ACCESS_KEYS_PER_USER,
  type Plan,
  planRotation,
  type Situation,
  type Step,
} from "../../provider/src/rotation/plan";
import { situations } from "../support/arbitraries";

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

  holds("announces a key right before its first write, and once", (_situation, { steps }) => {
    const kinds = (steps ?? []).map(({ kind }) => kind);
    assert.equal(kinds.filter((kind) => kind === "announce").length, kinds.filter((kind) => kind === "create").length);
    const first = kinds.findIndex((kind) => kind === "delete" || kind === "deactivate" || kind === "create");
    if (kinds.includes("create")) assert.equal(kinds[first - 1], "announce");
  });

  holds("deletes in a creation only what creations left and only we ever used", (situation, { steps }) => {
    if (situation.intent !== "create") return;
    for (const step of steps ?? []) {
      if (step.kind !== "delete") continue;
      const key = situation.ring.keys.find(({ accessKeyId }) => accessKeyId === step.accessKeyId);
      const lastUse = situation.lastUses.get(step.accessKeyId);
      assert.equal(situation.ledgerWrittenBy, "create");
      assert.ok(key && lastUse !== undefined);
      assert.ok(lastUse === null || (lastUse.service === "sts" && lastUse.region === situation.own.region));
    }
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
      const { policy, own, now, lastUses } = situation;
      assert.equal(inUse(key, lastUses.get(key.accessKeyId), policy, own, now), undefined);
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
