import assert from "node:assert/strict";

import { parseInputs } from "../../provider/src/contract/inputs";
import { type Inputs, program } from "../support/fakeStack";

/** Values at the very edge of a rule, and what becomes of them. */
const EDGES: readonly { readonly good: string; readonly given: Inputs; readonly becomes: Inputs }[] = [
  { good: "a name with spaces around it", given: { name: " ci-bot\n" }, becomes: { name: "ci-bot" } },
  { good: "a name of one character", given: { name: "a" }, becomes: { name: "a" } },
  { good: "a name of 64 characters", given: { name: "a".repeat(64) }, becomes: { name: "a".repeat(64) } },
  { good: "a name of digits", given: { name: "2027-01" }, becomes: { name: "2027-01" } },
  { good: "a projectId with spaces around it", given: { projectId: " p " }, becomes: { projectId: "p" } },
  { good: "a description left out", given: {}, becomes: { description: null } },
  { good: "a description of null", given: { description: null }, becomes: { description: null } },
  { good: "an empty description", given: { description: "" }, becomes: { description: "" } },
  { good: "a description with spaces around it", given: { description: " d " }, becomes: { description: "d" } },
  {
    good: "a description of 256 characters",
    given: { description: "d".repeat(256) },
    becomes: { description: "d".repeat(256) },
  },
  {
    good: "a connectionId of any version and case",
    given: { connectionId: "FFFFFFFF-ffff-FFFF-ffff-FFFFFFFFFFFF" },
    becomes: { connectionId: "FFFFFFFF-ffff-FFFF-ffff-FFFFFFFFFFFF" },
  },
  { good: "a secretPath of the root", given: { secretPath: "/" }, becomes: { secretPath: "/" } },
  { good: "a secretPath with a trailing slash", given: { secretPath: "/ci/aws/" }, becomes: { secretPath: "/ci/aws" } },
  {
    good: "a secretPath with two trailing slashes, of which one goes, as in the API",
    given: { secretPath: "/ci//" },
    becomes: { secretPath: "/ci/" },
  },
  { good: "a secretPath without a leading slash", given: { secretPath: "ci" }, becomes: { secretPath: "ci" } },
  { good: "a secretPath with spaces around it", given: { secretPath: " /ci/ " }, becomes: { secretPath: "/ci" } },
  { good: "isAutoRotationEnabled left out", given: {}, becomes: { isAutoRotationEnabled: true } },
  {
    good: "isAutoRotationEnabled switched off",
    given: { isAutoRotationEnabled: false },
    becomes: { isAutoRotationEnabled: false },
  },
  { good: "a rotationInterval of one day", given: { rotationInterval: 1 }, becomes: { rotationInterval: 1 } },
  { good: "a rotationInterval as a string", given: { rotationInterval: "30" }, becomes: { rotationInterval: 30 } },
  {
    good: "a rotationInterval of a million days",
    given: { rotationInterval: 1_000_000 },
    becomes: { rotationInterval: 1_000_000 },
  },
  { good: "rotateAtUtc left out", given: {}, becomes: { rotateAtUtc: { hours: 0, minutes: 0 } } },
  {
    good: "the last minute of the day",
    given: { rotateAtUtc: { hours: 23, minutes: 59 } },
    becomes: { rotateAtUtc: { hours: 23, minutes: 59 } },
  },
  {
    good: "a userName with spaces around it, and no region",
    given: { parameters: { userName: " ci-bot " } },
    becomes: { parameters: { userName: "ci-bot" } },
  },
  {
    good: "secret names with spaces around them",
    given: { secretsMapping: { accessKeyId: " ID ", secretAccessKey: " SECRET " } },
    becomes: { secretsMapping: { accessKeyId: "ID", secretAccessKey: "SECRET" } },
  },
  { good: "an empty rotationTrigger", given: { rotationTrigger: "" }, becomes: { rotationTrigger: "" } },
  {
    good: "previousKey left out, with an interval of a day",
    given: { rotationInterval: 1 },
    becomes: { previousKey: { whenInUse: "wait", quietHours: 12 } },
  },
  {
    good: "an empty previousKey, with an interval of two days",
    given: { rotationInterval: "2", previousKey: {} },
    becomes: { previousKey: { whenInUse: "wait", quietHours: 24 } },
  },
  {
    good: "a whole policy for the previous key",
    given: { rotationInterval: 2, previousKey: { deactivateAfterHours: 47, quietHours: 0, whenInUse: "retire" } },
    becomes: { previousKey: { deactivateAfterHours: 47, quietHours: 0, whenInUse: "retire" } },
  },
  { good: "revokeGeneratedCredentials left out", given: {}, becomes: { revokeGeneratedCredentials: true } },
  {
    good: "revokeGeneratedCredentials switched off",
    given: { revokeGeneratedCredentials: false },
    becomes: { revokeGeneratedCredentials: false },
  },
];

describe("The inputs after validation", () => {
  for (const { good, given, becomes } of EDGES) {
    it(`takes ${good}`, () => {
      const { inputs, failures } = parseInputs(program(given));
      assert.deepEqual(failures, []);
      for (const [name, value] of Object.entries(becomes)) assert.deepEqual({ ...inputs }[name], value, name);
    });
  }

  it("gives the environment in the API's response form, with an id that hangs on project and slug alone", () => {
    const idOf = (given: Inputs) => parseInputs(program(given)).inputs?.environment.id;
    assert.deepEqual(parseInputs(program({ environment: " prod " })).inputs?.environment, {
      slug: "prod",
      name: "prod",
      id: "db136b18-79c7-5933-881a-4e33fe8ea765",
    });
    assert.equal(idOf({ name: "other", secretPath: "/other" }), idOf({}));
    assert.notEqual(idOf({ environment: "dev" }), idOf({}));
    assert.notEqual(idOf({ projectId: "other" }), idOf({}));
  });
});
