import assert from "node:assert/strict";

import { sharedMoto } from "../../support/moto";
import { describeEngine } from "../../support/stack";
import { engineCases, sweepEngine } from "./engineCases";
import { titleOf } from "./table";

// All chosen cases run by `npm run sweep`; here the moments at which a key exists and nobody has saved it.
const HERE = [
  'create from "new user", CreateAccessKey 1, engine killed after it',
  'create from "new user", CreateAccessKey 1, provider killed after it',
  'rotation from "current only", CreateAccessKey 1, engine killed after it',
  'rotation from "current and previous", DeleteAccessKey 1, engine killed after it',
  'destroy from "current and previous", DeleteAccessKey 2, engine killed after it',
];

describeEngine("A kill on the real engine", () => {
  // An earlier suite may have made it check signatures.
  before(async () => (await sharedMoto()).reset());

  for (const title of HERE) {
    it(`is survived: ${title}`, async function () {
      this.timeout(180_000);
      const cases = engineCases().filter((one) => titleOf(one) === title);
      assert.equal(cases.length, 1);
      const [outcome] = await sweepEngine(await sharedMoto(), cases, 1);
      assert.deepEqual(outcome?.broken, [], outcome?.said.join("\n"));
      assert.notEqual(outcome?.result, "not reached");
    });
  }
});
