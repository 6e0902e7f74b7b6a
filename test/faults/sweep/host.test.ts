import assert from "node:assert/strict";

import { sharedMoto } from "../../support/moto";
import type { Fault } from "./faults";
import type { Outcome } from "./runCase";
import { type Scene, SCENES } from "./scenes";
import { sweepHost, type Swept } from "./sweep";
import { titleOf } from "./table";

// All of it takes the better part of an hour on a small machine: `npm run sweep`. Here every operation is disturbed at
// its every call, each time by another fault, and kills only where a process more is worth it.
const SCENES_HERE = [
  "create, new user",
  "create, leftover and one foreign key",
  "rotation, current only",
  "rotation, current and previous",
  "rotation, pending",
  "rotation, leftover",
  "retirement, current and previous",
  "destroy, current and previous",
];

const FAULTS_IN_TURN = [
  "answer lost",
  "500 after it",
  "engine killed after it",
  "refused",
  "engine killed, next up at once",
];
const KILLED_AT = ["CreateAccessKey", "DeleteAccessKey", "UpdateAccessKey"];

function takes(scene: Scene, fault: Fault, index: number, action: string): boolean {
  if (fault.kills === "provider") return KILLED_AT.includes(action) && fault.name.endsWith("after it");
  if (fault.name.startsWith("throttled")) return action === "CreateAccessKey" && scene.operation === "create";
  if (action === "CreateAccessKey" && fault.name === "answer lost") return true;
  return fault.name === FAULTS_IN_TURN[index % FAULTS_IN_TURN.length];
}

describe("A fault at any call", () => {
  let swept: Swept;

  before(async function () {
    this.timeout(300_000);
    const scenes = SCENES.filter(({ operation, start }) => SCENES_HERE.includes(`${operation}, ${start}`));
    const moto = await sharedMoto();
    // An earlier suite may have made it check signatures.
    await moto.reset();
    swept = await sweepHost(moto, { scenes, takes, parallel: 6 });
  });

  const holds = (outcomes: readonly Outcome[]) => {
    assert.ok(outcomes.length > 0);
    const broken = outcomes.filter((outcome) => outcome.broken.length > 0);
    assert.deepEqual(
      broken.map((outcome) => `${titleOf(outcome)}: ${outcome.broken.join("; ")}`),
      [],
    );
  };

  it("is where there is none: each operation goes through, and the invariants hold", () => holds(swept.undisturbed));

  for (const operation of ["create", "rotation", "retirement", "destroy"] as const) {
    it(`of a ${operation} loses no key, kills no key, and the next command goes on`, () => {
      holds(swept.disturbed.filter(({ scene }) => scene.operation === operation));
    });
  }

  it("is reached in nearly every case", () => {
    const missed = swept.disturbed.filter(({ result }) => result === "not reached").length;
    assert.ok(missed * 10 < swept.disturbed.length, `${missed} of ${swept.disturbed.length} were not`);
  });

  it("makes no process print a secret", () => {
    const secrets = new Set(swept.disturbed.flatMap((outcome) => outcome.secrets));
    assert.ok(secrets.size > swept.disturbed.length);
    assert.equal(swept.printedSecrets, 0);
  });
});
