import assert from "node:assert/strict";

import { ConflictError, ForbiddenError, RotationError } from "../../provider/src/rotation/errors";
import { FakeStack, type Inputs, OTHER_CONNECTION_ID, program } from "../support/fakeStack";

async function created(given: Inputs = program(), rotations = 0): Promise<FakeStack> {
  const stack = new FakeStack();
  await stack.up(given);
  for (let rotation = 0; rotation < rotations; rotation += 1) {
    stack.clock.advance({ days: 31 });
    await stack.up(given);
  }
  stack.aws.calls.length = 0;
  return stack;
}

const statesOf = (stack: FakeStack) => stack.state.keys.map(({ accessKeyId, state }) => `${accessKeyId} ${state}`);
const writesOf = ({ aws }: FakeStack) => aws.calls.filter((call) => /^(create|delete|deactivate)/.test(call));

/** Fails where the promise does not fail with one of our errors. */
async function failureOf(promise: Promise<unknown>): Promise<RotationError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof RotationError);
    return error;
  }
  throw new assert.AssertionError({ message: "it did not fail" });
}

describe("read", () => {
  it("gives back the same state and the same inputs where nothing happened, and writes nothing", async () => {
    const stack = await created(program({ rotationTrigger: "1", previousKey: { deactivateAfterHours: 3 } }), 1);
    const { state, inputs } = { ...stack.resource };
    await stack.refresh();
    assert.deepEqual(stack.resource?.state, state);
    assert.deepEqual(stack.resource?.inputs, inputs);
    assert.deepEqual(writesOf(stack), []);
  });

  const drifts: readonly [string, (stack: FakeStack) => void, string, string[]][] = [
    [
      "gone",
      (stack) => stack.aws.removeKey("AKIA0002"),
      "the current key AKIA0002 is no longer on the user",
      ["AKIA0003 current", "AKIA0001 previous"],
    ],
    [
      "disabled",
      (stack) => void (stack.aws.key("AKIA0002").status = "Inactive"),
      "the current key AKIA0002 was set Inactive",
      ["AKIA0003 current", "AKIA0001 previous"],
    ],
  ];
  for (const [what, happen, reason, healed] of drifts) {
    it(`notes a current key that is ${what}; the next run says so and heals it, and the one after does nothing`, async () => {
      const stack = await created(program(), 1);
      happen(stack);
      await stack.refresh();
      assert.equal(stack.state.rotation.drift, reason);
      assert.equal(stack.resource?.inputs.rotation.drift, reason);
      assert.equal(stack.state.accessKeyId, "AKIA0002");
      assert.deepEqual(writesOf(stack), []);

      assert.equal(stack.preview().inputs?.rotation.reason, reason);
      assert.deepEqual(await stack.up(), { did: "update" });
      assert.deepEqual(statesOf(stack), healed);
      assert.equal(stack.state.isLastRotationManual, true);
      assert.equal(stack.state.rotation.drift, undefined);
      assert.deepEqual(await stack.up(), { did: "same" });
      await stack.refresh();
      assert.deepEqual(await stack.up(), { did: "same" });
    });
  }

  it("heals a disabled current key without ever enabling it, and keeps it where its slot is not needed", async () => {
    const stack = await created();
    stack.aws.key("AKIA0001").status = "Inactive";
    await stack.refresh();
    await stack.up();
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Inactive", "AKIA0002 Active"]);
    assert.deepEqual(statesOf(stack), ["AKIA0002 current", "AKIA0001 inactive"]);
    assert.deepEqual(writesOf(stack), ["create"]);
  });

  it("takes drift back once the key is enabled again", async () => {
    const stack = await created();
    stack.aws.key("AKIA0001").status = "Inactive";
    await stack.refresh();
    stack.aws.key("AKIA0001").status = "Active";
    await stack.refresh();
    assert.equal("drift" in stack.state.rotation, false);
    assert.deepEqual(await stack.up(), { did: "same" });
  });

  it("heals also where ignoreChanges hands the old inputs back", async () => {
    const stack = await created();
    stack.aws.removeKey("AKIA0001");
    await stack.refresh();
    assert.deepEqual(await stack.up({ ...stack.resource?.inputs }), { did: "update" });
    assert.equal(stack.state.accessKeyId, "AKIA0002");
  });

  it("keeps drift through a healing that fails, and heals in the run after", async () => {
    const stack = await created();
    stack.aws.removeKey("AKIA0001");
    await stack.refresh();
    stack.aws.fail("create", new ForbiddenError({ what: "AccessDenied" }));
    await stack.up();
    assert.match(stack.state.rotation.drift ?? "", /no longer on the user/);
    assert.deepEqual(await stack.up(), { did: "update" });
    assert.equal(stack.state.accessKeyId, "AKIA0002");
  });

  const unsettled: readonly [string, (stack: FakeStack) => void, string, string[]][] = [
    [
      "gone",
      (stack) => stack.aws.removeKey("AKIA0001"),
      "the previous key AKIA0001 is no longer on the user",
      ["AKIA0002 current"],
    ],
    [
      "disabled",
      (stack) => void (stack.aws.key("AKIA0001").status = "Inactive"),
      "the previous key AKIA0001 was set Inactive",
      ["AKIA0002 current", "AKIA0001 inactive"],
    ],
  ];
  for (const [what, happen, says, settled] of unsettled) {
    it(`notes a previous key that is ${what}; the next run puts state right and makes no key`, async () => {
      const stack = await created(program(), 1);
      happen(stack);
      await stack.refresh();
      assert.equal(stack.state.unsettled, says);
      assert.equal("drift" in stack.state.rotation, false);
      assert.deepEqual(await stack.up(), { did: "update" });
      assert.deepEqual(statesOf(stack), settled);
      assert.equal(stack.state.unsettled, null);
      assert.deepEqual(writesOf(stack), []);
      assert.deepEqual(await stack.up(), { did: "same" });
    });
  }

  it("drops the rotation where the user is gone, and a new one starts anew", async () => {
    const stack = await created();
    stack.aws.removeUser("ci-bot");
    assert.deepEqual(await stack.refresh(), { did: "gone" });
    stack.aws.addUser("ci-bot");
    assert.deepEqual(await stack.up(), { did: "create" });
  });

  it("drops the rotation where the user was made again under the same name", async () => {
    const stack = await created();
    stack.aws.recreateUser("ci-bot");
    assert.deepEqual(await stack.refresh(), { did: "gone" });
    assert.deepEqual(await stack.up(), { did: "create" });
  });

  it("refuses to take a user for gone in an account that is not the one of state", async () => {
    const stack = await created();
    const { other } = stack;
    stack.open = ({ userName }) => Promise.resolve(other.open(userName));
    for (const prepare of [() => {}, () => other.removeUser("ci-bot")]) {
      prepare();
      const error = await failureOf(stack.refresh());
      assert.ok(error instanceof ConflictError);
      assert.equal(
        error.message,
        [
          'connection "ambient" is in account 210987654321, but this rotation\'s keys belong to arn:aws:iam::123456789012:user/ci-bot',
          "Now: nothing was changed",
          "Next: use a connection of that account, then try again",
        ].join("\n"),
      );
    }
  });

  it("works while asOf is set: it writes nothing", async () => {
    const stack = await created();
    stack.settings["iam-rotation:asOf"] = "2030-01-01T00:00:00Z";
    await stack.refresh();
    assert.equal(stack.opened.at(-1)?.onlyLocalEndpoints, false);
  });
});

describe("delete", () => {
  it("deletes the current and the previous key, by id, and no other", async () => {
    const stack = await created(program(), 1);
    stack.aws.removeKey("AKIA0001");
    const foreign = stack.aws.addKey("ci-bot");
    await stack.destroy();
    assert.deepEqual(stack.aws.listOf("ci-bot"), [`${foreign.accessKeyId} Active`]);
    assert.deepEqual(writesOf(stack), ["delete AKIA0002", "delete AKIA0001"]);
  });

  it("deletes an inactive and a pending key as well", async () => {
    const given = program({ previousKey: { deactivateAfterHours: 1 } });
    const stack = await created(given, 1);
    stack.clock.advance({ days: 2 });
    await stack.up(given);
    assert.deepEqual(statesOf(stack), ["AKIA0002 current", "AKIA0001 inactive"]);
    stack.aws.passes.push(...Array<"unknown">(1_000).fill("unknown"));
    await stack.up(program({ rotationTrigger: "1", previousKey: { deactivateAfterHours: 1 } }));
    assert.deepEqual(statesOf(stack), ["AKIA0002 current", "AKIA0003 pending"]);
    await stack.destroy();
    assert.deepEqual(stack.aws.listOf("ci-bot"), []);
  });

  it("takes keys, and a user, that are already gone as success, in the account of state", async () => {
    const stack = await created(program(), 1);
    stack.aws.removeUser("ci-bot");
    assert.deepEqual(await stack.destroy(), { did: "destroy" });
    assert.ok(stack.aws.calls.includes("caller"));
  });

  it("refuses to take keys for gone in an account that is not the one of state", async () => {
    const stack = await created(program({ connectionId: OTHER_CONNECTION_ID }));
    const { aws } = stack;
    stack.open = ({ userName }) => Promise.resolve(aws.open(userName));
    const error = await failureOf(stack.destroy());
    assert.ok(error instanceof ConflictError);
    assert.match(
      error.message,
      /is in account 123456789012, but this rotation's keys belong to arn:aws:iam::210987654321/,
    );
  });

  it("leaves the keys, and takes only the tags away, with revokeGeneratedCredentials off", async () => {
    const stack = await created(program({ revokeGeneratedCredentials: false }), 1);
    stack.aws.setTags("ci-bot", { team: "ci" });
    await stack.destroy();
    assert.deepEqual([...stack.aws.calls].sort(), ["list", "untag", "user", "user"]);
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0002 Active"]);
    assert.deepEqual(stack.aws.tagsOf("ci-bot"), { team: "ci" });
  });

  it("deletes a key in use: destroying is being told to", async () => {
    const stack = await created();
    stack.aws.key("AKIA0001").lastUse = { at: stack.clock.now().toISOString(), service: "s3", region: "us-east-1" };
    await stack.destroy();
    assert.deepEqual(stack.aws.listOf("ci-bot"), []);
  });

  it("says, where it fails half-way, which keys are left, and goes on in the next run", async () => {
    const stack = await created(program(), 1);
    stack.aws.fail("delete AKIA0001", new ForbiddenError({ what: "iam:DeleteAccessKey failed: AccessDenied" }));
    const error = await failureOf(stack.destroy());
    assert.ok(error instanceof ForbiddenError);
    assert.equal(
      error.message,
      [
        "iam:DeleteAccessKey failed: AccessDenied",
        "Now: no key is current, AKIA0001 is previous; keys already deleted stay deleted",
        "Next: run it again: what is already gone counts as done",
      ].join("\n"),
    );
    assert.deepEqual(await stack.destroy(), { did: "destroy" });
    assert.deepEqual(stack.aws.listOf("ci-bot"), []);
  });
});
