import assert from "node:assert/strict";

import { UNKNOWN } from "../../provider/src/contract/unknown";
import { FakeClock, START } from "../support/fakeClock";
import { check } from "../../provider/src/lifecycle/check";
import { type Inputs, OTHER_CONNECTION_ID, plain, program } from "../support/fakeStack";

const contextOf = (settings: Record<string, string> = {}, now = START) => ({
  clock: new FakeClock(now),
  config: (key: string) => settings[key],
});

const CONNECTIONS = "iam-rotation:connections";

function checked(olds: Inputs, news: Inputs, context = contextOf()): Inputs {
  const { inputs, failures } = check(olds, news, context);
  assert.deepEqual(failures, []);
  return plain<Inputs>(inputs ?? {});
}

describe("check", () => {
  it("adds the schedule's anchor and the next rotation to the inputs of a new resource", () => {
    const { rotation, nextRotationAt } = checked({}, program());
    assert.deepEqual(rotation, { number: 0, at: START, manual: true, reason: "created", previousKey: "none" });
    assert.equal(nextRotationAt, "2027-02-10T00:00:00.000Z");
  });

  it("reads the clock once only: the same inputs a day later give the same anchor", () => {
    const first = checked({}, program());
    assert.deepEqual(checked(first, program(), contextOf({}, "2027-01-11T08:30:00.000Z")), first);
  });

  it("moves the anchor and the next rotation when it is due", () => {
    const first = checked({}, program());
    const { rotation, nextRotationAt } = checked(first, program(), contextOf({}, "2027-02-10T00:00:00.000Z"));
    assert.deepEqual(rotation, {
      number: 1,
      at: "2027-02-10T00:00:00.000Z",
      manual: false,
      reason: "due since 2027-02-10T00:00:00.000Z: every 30 days at 00:00 UTC",
      previousKey: "active",
    });
    assert.equal(nextRotationAt, "2027-03-12T00:00:00.000Z");
  });

  it("gives null for the next rotation while automatic rotation is off", () => {
    assert.equal(checked({}, program({ isAutoRotationEnabled: false }))["nextRotationAt"], null);
  });

  for (const [path, changes] of [
    ["isAutoRotationEnabled", { isAutoRotationEnabled: UNKNOWN }],
    ["rotationInterval", { rotationInterval: UNKNOWN }],
    ["rotateAtUtc.minutes", { rotateAtUtc: { hours: 3, minutes: UNKNOWN } }],
  ] as const) {
    it(`gives an unknown next rotation while ${path} is not known, and keeps the anchor`, () => {
      const first = checked({}, program());
      const { rotation, nextRotationAt } = checked(first, program(changes), contextOf({}, "2028-01-01T00:00:00.000Z"));
      assert.equal(nextRotationAt, UNKNOWN);
      assert.deepEqual(rotation, first["rotation"]);
    });
  }

  it("refuses an anchor that a program gives", () => {
    const first = checked({}, program());
    const forged = { number: 7, at: START, manual: true, reason: "mine", previousKey: "none" };
    const refusal = ["rotation: is computed from the schedule; leave it out"];
    assert.deepEqual(check({}, program({ rotation: forged }), contextOf()).failures, refusal);
    assert.deepEqual(check(first, program({ rotation: forged }), contextOf()).failures, refusal);
    assert.deepEqual(check(first, program({ nextRotationAt: START }), contextOf()).failures, [
      "nextRotationAt: is computed from the schedule; leave it out",
    ]);
  });

  it("takes the old anchor back, as ignoreChanges hands it, and still rotates when it is due", () => {
    const first = checked({}, program());
    const news = program({ rotation: first["rotation"], nextRotationAt: first["nextRotationAt"] });
    assert.deepEqual(checked(first, news), first);
    const { rotation } = checked(first, first, contextOf({}, "2027-02-10T00:00:00.000Z"));
    assert.equal((rotation as Inputs)["number"], 1);
  });

  it("keeps the adopted pair in the inputs of a creation alone", () => {
    const adopt = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x" };
    const first = checked({}, program({ adopt }));
    assert.deepEqual(first["adopt"], adopt);
    const second = checked(first, program({ adopt }));
    assert.equal("adopt" in second, false);
    assert.equal("adopt" in checked(second, program({ adopt })), false);
  });

  it("refuses a connection that the stack's config does not have, and lists those that it has", () => {
    const settings = {
      [CONNECTIONS]: JSON.stringify({ [OTHER_CONNECTION_ID]: { name: "staging", method: "profile", profile: "s" } }),
    };
    const connectionId = "aaaaaaaa-0000-4000-8000-0000000000ff";
    const [line, ...more] = check({}, program({ connectionId }), contextOf(settings)).failures;
    assert.deepEqual(more, []);
    assert.equal(
      line,
      [
        `connectionId: is not among the connections of this stack: 00000000-0000-0000-0000-000000000000 ("ambient"), ${OTHER_CONNECTION_ID} ("staging")`,
        "Now: nothing was changed",
        "Next: add it to the stack's config iam-rotation:connections, or use AMBIENT_CONNECTION_ID for the ambient credentials",
      ].join("\n"),
    );
  });

  it("finds a connection whatever the case of its id, and takes one that is not known yet", () => {
    const settings = { [CONNECTIONS]: JSON.stringify({ [OTHER_CONNECTION_ID]: { name: "s", method: "default" } }) };
    checked({}, program({ connectionId: OTHER_CONNECTION_ID.toUpperCase() }), contextOf(settings));
    checked({}, program({ connectionId: UNKNOWN }), contextOf(settings));
  });

  it("tells of an unknown connection along with every other failure", () => {
    const wrong = program({ connectionId: "aaaaaaaa-0000-4000-8000-0000000000ff", name: "A", rotation: 1 });
    const paths = check({}, wrong, contextOf()).failures.map((line) => line.split(":")[0]);
    assert.deepEqual(paths, ["rotation", "name", "connectionId"]);
  });

  it("tells of wrong config along with every other failure", () => {
    const wrong = program({ name: "A" });
    const lines = check({}, wrong, contextOf({ "iam-rotation:asOf": "tomorrow" })).failures;
    assert.deepEqual(
      lines.map((line) => line.split(" ")[0]),
      ["name:", "iam-rotation:asOf:"],
    );
  });

  it("decides by iam-rotation:asOf where it is set", () => {
    const first = checked({}, program());
    const { rotation } = checked(first, program(), contextOf({ "iam-rotation:asOf": "2027-03-01T01:00:00+01:00" }));
    assert.equal((rotation as Inputs)["at"], "2027-03-01T00:00:00.000Z");
  });
});
