import assert from "node:assert/strict";

import { formatFailure } from "../../provider/src/contract/failures";
import { parseInputs } from "../../provider/src/contract/inputs";
import { API_REGIONS } from "../support/apiPage";
import { type Inputs, program } from "../support/fakeStack";

const SLUG = 'must be lower-case letters and digits, words joined by single hyphens, as in "ci-bot"';
const UUID = "must be a uuid, as in 3b7a3c1e-1d2f-4e5a-9b8c-7d6e5f4a3b2c";

const failuresOf = (given: Inputs) => parseInputs(program(given)).failures.map(formatFailure);

/** Every rule of the contract: a value that breaks it, in an otherwise good program, and all that is said about it. */
const RULES: readonly { readonly wrong: string; readonly given: Inputs; readonly says: readonly string[] }[] = [
  { wrong: "a name left out", given: { name: undefined }, says: ["name: must be a string"] },
  { wrong: "a name of another type", given: { name: 7 }, says: ["name: must be a string"] },
  {
    wrong: "an empty name",
    given: { name: " " },
    says: ["name: must not be empty", `name: ${SLUG}; left out, it is the resource's logical name`],
  },
  {
    wrong: "an upper-case name",
    given: { name: "CI-bot" },
    says: [`name: ${SLUG}; left out, it is the resource's logical name`],
  },
  {
    wrong: "a name with an underscore",
    given: { name: "ci_bot" },
    says: [`name: ${SLUG}; left out, it is the resource's logical name`],
  },
  {
    wrong: "a name with a double hyphen",
    given: { name: "ci--bot" },
    says: [`name: ${SLUG}; left out, it is the resource's logical name`],
  },
  {
    wrong: "a name with a hyphen at its edge",
    given: { name: "ci-bot-" },
    says: [`name: ${SLUG}; left out, it is the resource's logical name`],
  },
  {
    wrong: "a name with a space inside",
    given: { name: "ci bot" },
    says: [`name: ${SLUG}; left out, it is the resource's logical name`],
  },
  {
    wrong: "a name of 65 characters",
    given: { name: "a".repeat(65) },
    says: ["name: must have at most 64 characters"],
  },
  { wrong: "a projectId left out", given: { projectId: undefined }, says: ["projectId: must be a string"] },
  { wrong: "an empty projectId", given: { projectId: "  " }, says: ["projectId: must not be empty"] },
  { wrong: "a projectId of another type", given: { projectId: 1 }, says: ["projectId: must be a string"] },
  {
    wrong: "a description of 257 characters",
    given: { description: "d".repeat(257) },
    says: ["description: must have at most 256 characters"],
  },
  { wrong: "a description of another type", given: { description: 1 }, says: ["description: must be a string"] },
  { wrong: "a connectionId left out", given: { connectionId: undefined }, says: ["connectionId: must be a string"] },
  { wrong: "a connectionId that is no uuid", given: { connectionId: "prod" }, says: [`connectionId: ${UUID}`] },
  {
    wrong: "a connectionId with braces around it",
    given: { connectionId: "{00000000-0000-0000-0000-000000000000}" },
    says: [`connectionId: ${UUID}`],
  },
  { wrong: "a connectionId of another type", given: { connectionId: null }, says: ["connectionId: must be a string"] },
  { wrong: "an environment left out", given: { environment: undefined }, says: ["environment: must be a string"] },
  {
    wrong: "an empty environment",
    given: { environment: "" },
    says: ["environment: must not be empty", `environment: ${SLUG}`],
  },
  { wrong: "an upper-case environment", given: { environment: "Prod" }, says: [`environment: ${SLUG}`] },
  {
    wrong: "an environment of 65 characters",
    given: { environment: "e".repeat(65) },
    says: ["environment: must have at most 64 characters"],
  },
  { wrong: "an environment of another type", given: { environment: 5 }, says: ["environment: must be a string"] },
  {
    wrong: "an environment object without a slug",
    given: { environment: { name: "prod" } },
    says: ["environment: must be a string"],
  },
  {
    wrong: "an environment object with an unknown property",
    given: { environment: { slug: "prod", nmae: "prod" } },
    says: ['environment.nmae: is not a known property; did you mean "name"?'],
  },
  { wrong: "a secretPath left out", given: { secretPath: undefined }, says: ["secretPath: must be a string"] },
  { wrong: "an empty secretPath", given: { secretPath: " " }, says: ["secretPath: must not be empty"] },
  {
    wrong: "isAutoRotationEnabled as a string",
    given: { isAutoRotationEnabled: "true" },
    says: ["isAutoRotationEnabled: must be true or false"],
  },
  {
    wrong: "isAutoRotationEnabled as null",
    given: { isAutoRotationEnabled: null },
    says: ["isAutoRotationEnabled: must be true or false"],
  },
  {
    wrong: "a rotationInterval left out",
    given: { rotationInterval: undefined },
    says: ["rotationInterval: must be a number"],
  },
  { wrong: "a rotationInterval of 0", given: { rotationInterval: 0 }, says: ["rotationInterval: must be at least 1"] },
  {
    wrong: "a rotationInterval of half a day",
    given: { rotationInterval: 1.5 },
    says: ["rotationInterval: must be a whole number"],
  },
  {
    wrong: "a rotationInterval that spells no number",
    given: { rotationInterval: "a month" },
    says: ["rotationInterval: must be a number"],
  },
  { wrong: "an empty rotationInterval", given: { rotationInterval: "" }, says: ["rotationInterval: must be a number"] },
  {
    wrong: "a rotationInterval as null",
    given: { rotationInterval: null },
    says: ["rotationInterval: must be a number"],
  },
  {
    wrong: "a rotationInterval past a million days",
    given: { rotationInterval: 1000001 },
    says: ["rotationInterval: must be at most 1000000"],
  },
  { wrong: "rotateAtUtc as a time", given: { rotateAtUtc: "12:00" }, says: ["rotateAtUtc: must be an object"] },
  { wrong: "rotateAtUtc as null", given: { rotateAtUtc: null }, says: ["rotateAtUtc: must be an object"] },
  {
    wrong: "rotateAtUtc without minutes",
    given: { rotateAtUtc: { hours: 12 } },
    says: ["rotateAtUtc.minutes: must be a number"],
  },
  {
    wrong: "rotateAtUtc without hours",
    given: { rotateAtUtc: { minutes: 30 } },
    says: ["rotateAtUtc.hours: must be a number"],
  },
  {
    wrong: "hours of 24",
    given: { rotateAtUtc: { hours: 24, minutes: 0 } },
    says: ["rotateAtUtc.hours: must be at most 23"],
  },
  {
    wrong: "hours below 0",
    given: { rotateAtUtc: { hours: -1, minutes: 0 } },
    says: ["rotateAtUtc.hours: must be at least 0"],
  },
  {
    wrong: "half an hour",
    given: { rotateAtUtc: { hours: 11.5, minutes: 0 } },
    says: ["rotateAtUtc.hours: must be a whole number"],
  },
  {
    wrong: "hours as a string",
    given: { rotateAtUtc: { hours: "11", minutes: 0 } },
    says: ["rotateAtUtc.hours: must be a number"],
  },
  {
    wrong: "minutes of 60",
    given: { rotateAtUtc: { hours: 0, minutes: 60 } },
    says: ["rotateAtUtc.minutes: must be at most 59"],
  },
  {
    wrong: "minutes below 0",
    given: { rotateAtUtc: { hours: 0, minutes: -1 } },
    says: ["rotateAtUtc.minutes: must be at least 0"],
  },
  {
    wrong: "half a minute",
    given: { rotateAtUtc: { hours: 0, minutes: 29.5 } },
    says: ["rotateAtUtc.minutes: must be a whole number"],
  },
  {
    wrong: "an unknown property of rotateAtUtc",
    given: { rotateAtUtc: { hours: 0, minutes: 0, second: 0 } },
    says: ["rotateAtUtc.second: is not a known property; known here: hours, minutes"],
  },
  {
    wrong: "a misspelt property of rotateAtUtc",
    given: { rotateAtUtc: { hour: 0, minutes: 0 } },
    says: ["rotateAtUtc.hours: must be a number", 'rotateAtUtc.hour: is not a known property; did you mean "hours"?'],
  },
  { wrong: "parameters left out", given: { parameters: undefined }, says: ["parameters: must be an object"] },
  { wrong: "parameters of another type", given: { parameters: "ci-bot" }, says: ["parameters: must be an object"] },
  { wrong: "a list of parameters", given: { parameters: ["ci-bot"] }, says: ["parameters: must be an object"] },
  { wrong: "a userName left out", given: { parameters: {} }, says: ["parameters.userName: must be a string"] },
  {
    wrong: "an empty userName",
    given: { parameters: { userName: " " } },
    says: ["parameters.userName: must not be empty"],
  },
  {
    wrong: "a userName of another type",
    given: { parameters: { userName: 5 } },
    says: ["parameters.userName: must be a string"],
  },
  {
    wrong: "a region that the API does not have",
    given: { parameters: { userName: "ci-bot", region: "eu-west-9" } },
    says: [`parameters.region: must be one of ${API_REGIONS.join(", ")}`],
  },
  {
    wrong: "a region of China",
    given: { parameters: { userName: "ci-bot", region: "cn-north-1" } },
    says: [`parameters.region: must be one of ${API_REGIONS.join(", ")}`],
  },
  {
    wrong: "a region as null",
    given: { parameters: { userName: "ci-bot", region: null } },
    says: [`parameters.region: must be one of ${API_REGIONS.join(", ")}`],
  },
  {
    wrong: "a misspelt property of parameters",
    given: { parameters: { username: "ci-bot" } },
    says: [
      "parameters.userName: must be a string",
      'parameters.username: is not a known property; did you mean "userName"?',
    ],
  },
  {
    wrong: "secretsMapping left out",
    given: { secretsMapping: undefined },
    says: ["secretsMapping: must be an object"],
  },
  {
    wrong: "secretsMapping without the secret's name",
    given: { secretsMapping: { accessKeyId: "ID" } },
    says: ["secretsMapping.secretAccessKey: must be a string"],
  },
  {
    wrong: "an empty secret name",
    given: { secretsMapping: { accessKeyId: "ID", secretAccessKey: " " } },
    says: ["secretsMapping.secretAccessKey: must not be empty"],
  },
  {
    wrong: "a secret name with a slash",
    given: { secretsMapping: { accessKeyId: "aws/ID", secretAccessKey: "SECRET" } },
    says: ['secretsMapping.accessKeyId: must not contain ":" or "/"'],
  },
  {
    wrong: "a secret name with a colon",
    given: { secretsMapping: { accessKeyId: "ID", secretAccessKey: "aws:SECRET" } },
    says: ['secretsMapping.secretAccessKey: must not contain ":" or "/"'],
  },
  {
    wrong: "one name for both secrets",
    given: { secretsMapping: { accessKeyId: "KEY", secretAccessKey: " KEY " } },
    says: [
      "secretsMapping.secretAccessKey: must differ from secretsMapping.accessKeyId: each secret needs a name of its own",
    ],
  },
  {
    wrong: "a misspelt property of secretsMapping",
    given: { secretsMapping: { accessKeyID: "ID", secretAccessKey: "SECRET" } },
    says: [
      "secretsMapping.accessKeyId: must be a string",
      'secretsMapping.accessKeyID: is not a known property; did you mean "accessKeyId"?',
    ],
  },
  {
    wrong: "a rotationTrigger of another type",
    given: { rotationTrigger: 7 },
    says: ["rotationTrigger: must be a string"],
  },
  { wrong: "a rotationTrigger as null", given: { rotationTrigger: null }, says: ["rotationTrigger: must be a string"] },
  { wrong: "previousKey of another type", given: { previousKey: true }, says: ["previousKey: must be an object"] },
  {
    wrong: "deactivateAfterHours below 0",
    given: { previousKey: { deactivateAfterHours: -1 } },
    says: ["previousKey.deactivateAfterHours: must be at least 0"],
  },
  {
    wrong: "deactivateAfterHours of half an hour",
    given: { previousKey: { deactivateAfterHours: 0.5 } },
    says: ["previousKey.deactivateAfterHours: must be a whole number"],
  },
  {
    wrong: "deactivateAfterHours equal to the interval",
    given: { rotationInterval: 2, previousKey: { deactivateAfterHours: 48 } },
    says: [
      "previousKey.deactivateAfterHours: must be below the rotation interval; left out, the previous key stays active until the next rotation",
    ],
  },
  {
    wrong: "deactivateAfterHours above an interval that is a string",
    given: { rotationInterval: "2", previousKey: { deactivateAfterHours: 49 } },
    says: [
      "previousKey.deactivateAfterHours: must be below the rotation interval; left out, the previous key stays active until the next rotation",
    ],
  },
  {
    wrong: "quietHours beyond all time",
    given: { previousKey: { quietHours: 24_000_001 } },
    says: ["previousKey.quietHours: must be at most 24000000"],
  },
  {
    wrong: "quietHours below 0",
    given: { previousKey: { quietHours: -1 } },
    says: ["previousKey.quietHours: must be at least 0"],
  },
  {
    wrong: "quietHours of half an hour",
    given: { previousKey: { quietHours: 1.5 } },
    says: ["previousKey.quietHours: must be a whole number"],
  },
  {
    wrong: "a whenInUse that nobody knows",
    given: { previousKey: { whenInUse: "force" } },
    says: ["previousKey.whenInUse: must be one of wait, retire"],
  },
  {
    wrong: "a misspelt property of previousKey",
    given: { previousKey: { quiethour: 3 } },
    says: ['previousKey.quiethour: is not a known property; did you mean "quietHours"?'],
  },
  { wrong: "adopt as an id alone", given: { adopt: "AKIAIOSFODNN7EXAMPLE" }, says: ["adopt: must be an object"] },
  {
    wrong: "adopt without the secret",
    given: { adopt: { accessKeyId: "AKIAIOSFODNN7EXAMPLE" } },
    says: ["adopt.secretAccessKey: must be a string"],
  },
  {
    wrong: "adopt with an empty secret",
    given: { adopt: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "" } },
    says: ["adopt.secretAccessKey: must not be empty"],
  },
  {
    wrong: "an unknown property of adopt",
    given: { adopt: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x", sessionToken: "x" } },
    says: ["adopt.sessionToken: is not a known property; known here: accessKeyId, secretAccessKey"],
  },
  {
    wrong: "revokeGeneratedCredentials as a string",
    given: { revokeGeneratedCredentials: "no" },
    says: ["revokeGeneratedCredentials: must be true or false"],
  },
  {
    wrong: "a misspelt property",
    given: { rotationIntervall: 30 },
    says: ['rotationIntervall: is not a known property; did you mean "rotationInterval"?'],
  },
  {
    wrong: "a property in another case",
    given: { ConnectionId: "x" },
    says: ['ConnectionId: is not a known property; did you mean "connectionId"?'],
  },
  {
    wrong: "a property of nothing that is known",
    given: { foo: "bar" },
    says: [
      "foo: is not a known property; known here: name, projectId, description, connectionId, environment, secretPath, isAutoRotationEnabled, rotationInterval, rotateAtUtc, parameters, secretsMapping, rotationTrigger, previousKey, adopt, revokeGeneratedCredentials",
    ],
  },
];

describe("The contract of the inputs", () => {
  for (const { wrong, given, says } of RULES) {
    it(`refuses ${wrong}`, () => assert.deepEqual(failuresOf(given), says));
  }

  it("tells every failure at once, nested ones and those that need two properties among them", () => {
    const failures = failuresOf({
      name: "CI",
      environment: "",
      rotationInterval: "1",
      rotateAtUtc: { hours: 24, minutes: 60 },
      parameters: { userName: "", region: "moon-1" },
      secretsMapping: { accessKeyId: "KEY", secretAccessKey: "KEY" },
      previousKey: { deactivateAfterHours: 24, whenInUse: "never" },
      secretpath: "/",
    });
    assert.deepEqual(
      failures.map((line) => line.split(":")[0]),
      [
        "name",
        "environment",
        "environment",
        "rotateAtUtc.hours",
        "rotateAtUtc.minutes",
        "parameters.userName",
        "parameters.region",
        "previousKey.whenInUse",
        "secretpath",
        "secretsMapping.secretAccessKey",
        "previousKey.deactivateAfterHours",
      ],
    );
  });

  it("does not offer the input that only the resource class gives", () => {
    assert.deepEqual(failuresOf({ ownr: "x" }), [
      "ownr: is not a known property; known here: name, projectId, description, connectionId, environment, secretPath, isAutoRotationEnabled, rotationInterval, rotateAtUtc, parameters, secretsMapping, rotationTrigger, previousKey, adopt, revokeGeneratedCredentials",
    ]);
  });
});
