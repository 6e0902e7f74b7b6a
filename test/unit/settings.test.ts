import assert from "node:assert/strict";

import { regionOf } from "../../provider/src/aws/clients";
import { type Connections, findConnection, parseConnections } from "../../provider/src/aws/connections";
import { AMBIENT_CONNECTION_ID } from "../../provider/src/contract/inputs";
import { readSettings, type Settings } from "../../provider/src/lifecycle/settings";
import { InputError } from "../../provider/src/rotation/errors";
import { FakeClock, START } from "../support/fakeClock";

const ID = "aaaaaaaa-0000-4000-8000-00000000000e";
const ROLE = "arn:aws-us-gov:iam::123456789012:role/ci/rotator";

function settingsOf(config: Readonly<Record<string, string>>): Settings {
  return readSettings({ clock: new FakeClock(), config: (key) => config[key] });
}

function refusalOf(method: () => unknown): string {
  try {
    method();
  } catch (error) {
    assert.ok(error instanceof InputError);
    return error.message;
  }
  throw new assert.AssertionError({ message: "nothing was refused" });
}

const connectionsOf = (entry: unknown): Connections => parseConnections(JSON.stringify({ [ID]: entry }));

describe("The stack's config", () => {
  it("may be left out: then the clock decides, the limits are the defaults, and only the ambient connection is known", () => {
    const { now, isAsOf, limits, connections } = settingsOf({});
    assert.deepEqual([now.toISOString(), isAsOf], [START, false]);
    assert.deepEqual(limits, {
      callSeconds: 60,
      lagSeconds: 90,
      verifySeconds: 120,
      verifySpacingSeconds: 2,
      rotationSeconds: 300,
    });
    assert.deepEqual([...connections.keys()], [AMBIENT_CONNECTION_ID]);
    assert.equal(AMBIENT_CONNECTION_ID, "00000000-0000-0000-0000-000000000000");
  });

  it("changes one limit and leaves the others, with fractions also as text", () => {
    const { limits } = settingsOf({
      "iam-rotation:limits": JSON.stringify({ verifySpacingSeconds: "0.05", lagSeconds: 0 }),
    });
    assert.deepEqual([limits.verifySpacingSeconds, limits.lagSeconds, limits.callSeconds], [0.05, 0, 60]);
  });

  const limits: readonly [string, string, string][] = [
    ["a limit that is no number", '{"callSeconds":"soon"}', "iam-rotation:limits.callSeconds: must be a number"],
    ["a limit below 0", '{"lagSeconds":-1}', "iam-rotation:limits.lagSeconds: must be at least 0"],
    [
      "a misspelt limit",
      '{"lagSecond":1}',
      'iam-rotation:limits.lagSecond: is not a known property; did you mean "lagSeconds"?',
    ],
    ["text in place of limits", "quick", "iam-rotation:limits: must be an object"],
  ];
  for (const [what, text, says] of limits) {
    it(`refuses ${what}`, () => {
      assert.equal(
        refusalOf(() => settingsOf({ "iam-rotation:limits": text })),
        [
          says,
          "Now: nothing was changed",
          "Next: correct it with `pulumi config set --path iam-rotation:limits.NAME SECONDS`",
        ].join("\n"),
      );
    });
  }

  it("moves the schedule's clock by asOf, an instant with its offset", () => {
    const { now, isAsOf } = settingsOf({ "iam-rotation:asOf": "2027-03-01T02:30+02:30" });
    assert.deepEqual([now.toISOString(), isAsOf], ["2027-03-01T00:00:00.000Z", true]);
  });

  for (const text of ["", "tomorrow", "2027-03-01", "2027-03-01T00:00:00", "2027-13-01T00:00:00Z", "1803859200000"]) {
    it(`refuses an asOf of "${text}"`, () => {
      assert.match(
        refusalOf(() => settingsOf({ "iam-rotation:asOf": text })),
        /^iam-rotation:asOf: must be an instant with its offset, as in 2027-03-01T00:00:00Z\nNow: nothing was changed\n/,
      );
    });
  }
});

describe("The connections in the stack's config", () => {
  it("are found by their id in any case", () => {
    const connections = connectionsOf({ name: "production", method: "profile", profile: "prod" });
    const expected = { id: ID, name: "production", method: "profile", profile: "prod" };
    assert.deepEqual(findConnection(connections, ID), expected);
    assert.deepEqual(findConnection(connections, ID.toUpperCase()), expected);
    const upper = parseConnections(JSON.stringify({ [ID.toUpperCase()]: { name: "p", method: "default" } }));
    assert.equal(findConnection(upper, ID).name, "p");
  });

  const METHODS = "method: must be one of default, profile, access-key, assume-role";
  const wrong: readonly [string, unknown, string][] = [
    ["no name", { method: "default" }, "name: must be a string"],
    ["no profile", { name: "p", method: "profile" }, "profile: must be a string"],
    [
      "a misspelt property",
      { name: "p", method: "access-key", accessKeyId: "A", secretAccesKey: "hidden/value" },
      'secretAccesKey: is not a known property; did you mean "secretAccessKey"?',
    ],
    [
      "a session that is too short",
      { name: "p", method: "assume-role", roleArn: "arn:x", durationSeconds: 60 },
      "durationSeconds: must be at least 900",
    ],
    ["a method that nobody knows", { name: "p", method: "hidden/value" }, METHODS],
    [
      "a role that is none",
      { name: "p", method: "assume-role", roleArn: "arn:aws:iam::123456789012:user/hidden/value" },
      "roleArn: must be the arn of a role, arn:PARTITION:iam::ACCOUNT:role/PATH/NAME",
    ],
    [
      "an external id that STS does not take",
      { name: "p", method: "assume-role", roleArn: ROLE, externalId: "hidden/value !" },
      "externalId: must be 2 to 1,224 letters, digits and +=,.@:/-_",
    ],
    [
      "a session's name that STS does not take",
      { name: "p", method: "assume-role", roleArn: ROLE, sessionName: "hidden/value" },
      "sessionName: must be 2 to 64 letters, digits and +=,.@-_",
    ],
    [
      "a permission that is no yes or no",
      { name: "p", method: "default", allowSelfRotation: "hidden/value" },
      "allowSelfRotation: must be true or false",
    ],
    [
      "a source that is not there",
      { name: "p", method: "assume-role", roleArn: ROLE, source: "bbbbbbbb-0000-4000-8000-00000000000e" },
      `source: is not among the connections of this stack: ${AMBIENT_CONNECTION_ID} ("ambient"), ${ID} ("p")`,
    ],
    [
      "itself as its source",
      { name: "p", method: "assume-role", roleArn: ROLE, source: ID.toUpperCase() },
      `source: is chained in a circle: ${ID} -> ${ID}`,
    ],
  ];
  for (const [what, entry, says] of wrong) {
    it(`are refused with ${what}, by the path of it and without any value`, () => {
      const message = refusalOf(() => connectionsOf(entry));
      assert.ok(message.includes(`iam-rotation:connections.${ID}.${says}`), message);
      assert.ok(!message.includes("hidden/value"));
    });
  }

  it("are refused in a circle, at each of it, and not at those that are chained on it", () => {
    const id = (digit: string) => ID.slice(0, -1) + digit;
    const on = (source: string) => ({ name: "p", method: "assume-role", roleArn: ROLE, source: id(source) });
    const message = refusalOf(() =>
      parseConnections(JSON.stringify({ [id("1")]: on("2"), [id("2")]: on("3"), [id("3")]: on("2") })),
    );
    assert.deepEqual(message.split("\n").slice(0, -2), [
      `iam-rotation:connections.${id("2")}.source: is chained in a circle: ${id("2")} -> ${id("3")} -> ${id("2")}`,
      `iam-rotation:connections.${id("3")}.source: is chained in a circle: ${id("3")} -> ${id("2")} -> ${id("3")}`,
    ]);
  });

  it("are refused under an id that no connectionId can be, under the ambient one's, and twice under one", () => {
    const entry = { name: "p", method: "default" };
    const message = refusalOf(() =>
      parseConnections(
        JSON.stringify({ production: entry, [AMBIENT_CONNECTION_ID]: entry, [ID]: entry, [ID.toUpperCase()]: entry }),
      ),
    );
    assert.deepEqual(message.split("\n").slice(0, -2), [
      "iam-rotation:connections.production: must be a uuid, as in 3b7a3c1e-1d2f-4e5a-9b8c-7d6e5f4a3b2c",
      `iam-rotation:connections.${AMBIENT_CONNECTION_ID}: is the ambient credentials' own id`,
      `iam-rotation:connections.${ID.toUpperCase()}: is there twice`,
    ]);
  });

  it("take whole numbers where text is asked for: `pulumi config set --path` makes them of digits", () => {
    const given = { name: 7, method: "assume-role", roleArn: ROLE, externalId: 123456, sessionName: 42 };
    const read = findConnection(connectionsOf(given), ID);
    assert.deepEqual(read, { ...given, id: ID, name: "7", externalId: "123456", sessionName: "42" });
    // More digits than a number keeps: it would silently be another id.
    const tooLong = `{"${ID}":{"name":"p","method":"assume-role","roleArn":"${ROLE}","externalId":12345678901234567}}`;
    assert.match(
      refusalOf(() => parseConnections(tooLong)),
      /externalId: must be a string/,
    );
  });

  it("are refused as text that is no map", () => {
    assert.match(
      refusalOf(() => parseConnections("hidden/value")),
      /^iam-rotation:connections: must be a map from connection id to connection\n/,
    );
  });
});

describe("The region of a rotation", () => {
  const connection = (region?: string) =>
    findConnection(connectionsOf({ name: "p", method: "default", ...(region && { region }) }), ID);

  it("is that of the parameters, else the connection's, else the environment's, else us-east-1", () => {
    const environment = { AWS_REGION: "ap-south-1", AWS_DEFAULT_REGION: "sa-east-1" };
    assert.equal(regionOf({ region: "eu-west-1" }, connection("eu-north-1"), environment), "eu-west-1");
    assert.equal(regionOf({}, connection("eu-north-1"), environment), "eu-north-1");
    assert.equal(regionOf({}, connection(), environment), "ap-south-1");
    assert.equal(regionOf({}, connection(), { AWS_DEFAULT_REGION: "sa-east-1" }), "sa-east-1");
    assert.equal(regionOf({}, connection(), { AWS_REGION: " " }), "us-east-1");
    assert.equal(regionOf({}, connection(), {}), "us-east-1");
  });
});
