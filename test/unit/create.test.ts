import assert from "node:assert/strict";

import { ConflictError, InternalError, NotFoundError, UnauthorizedError } from "../../provider/src/rotation/errors";
import { START } from "../support/fakeClock";
import { FakeStack, program } from "../support/fakeStack";

const never = Array<"unknown">(1_000).fill("unknown");

/** A user with a key of a person's, and a program that adopts it. */
function adoption(stack: FakeStack, changes: object = {}) {
  const { accessKeyId, secretAccessKey } = stack.aws.addKey("ci-bot");
  return program({ adopt: { accessKeyId, secretAccessKey, ...changes } });
}

function assertNoSecret(stack: FakeStack, text: string): void {
  for (const secret of stack.aws.secrets) assert.ok(!text.includes(secret), "a message holds a secret");
}

describe("create", () => {
  it("makes the first key whatever isAutoRotationEnabled says", async () => {
    const stack = new FakeStack();
    await stack.up(program({ isAutoRotationEnabled: false }));
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active"]);
    assert.equal(stack.state.nextRotationAt, null);
  });

  it("opens AWS over the given connection, in the region of the parameters, with the run's ids", async () => {
    const stack = new FakeStack();
    await stack.up(program({ parameters: { userName: "ci-bot", region: "eu-west-1" } }));
    const [target, ...more] = stack.opened;
    assert.deepEqual(more, []);
    assert.equal(target?.connection.name, "ambient");
    assert.equal(target?.region, "eu-west-1");
    assert.equal(target?.userName, "ci-bot");
    assert.equal(target?.rotationId, stack.resource?.id);
    assert.equal(target?.jobId, stack.state.lastRotationJobId);
    assert.equal(target?.onlyLocalEndpoints, false);
  });

  it("holds AWS to this machine while asOf is set, and takes its day for the schedule", async () => {
    const stack = new FakeStack();
    stack.settings["iam-rotation:asOf"] = "2027-06-01T00:00:00Z";
    await stack.up();
    assert.equal(stack.opened[0]?.onlyLocalEndpoints, true);
    assert.equal(stack.state.lastRotatedAt, "2027-06-01T00:00:00.000Z");
    assert.equal(stack.state.keys[0]?.createdAt, START);
  });

  it("saves nothing where both slots are taken, and says that nothing was changed", async () => {
    const stack = new FakeStack();
    stack.aws.addKey("ci-bot");
    stack.aws.addKey("ci-bot");
    const { error, isSaved } = await stack.up();
    assert.ok(error instanceof ConflictError);
    assert.equal(isSaved, false);
    assert.equal(stack.resource, undefined);
    assert.match(error.message, /Now: nothing was changed/);
    assert.equal(error.reqId, "00000001-0000-4000-8000-000000000000");
  });

  it("saves nothing where there is no such user", async () => {
    const stack = new FakeStack();
    stack.aws.removeUser("ci-bot");
    const { error, isSaved } = await stack.up();
    assert.ok(error instanceof NotFoundError);
    assert.equal(isSaved, false);
  });

  it("saves nothing where making the key fails, and makes it in the next run", async () => {
    const stack = new FakeStack();
    stack.aws.fail("create", new InternalError({ what: "iam:CreateAccessKey failed: ServiceFailure" }));
    const { error, isSaved } = await stack.up();
    assert.equal(isSaved, false);
    assert.equal(
      error?.message,
      [
        "iam:CreateAccessKey failed: ServiceFailure",
        "Now: no key was handed out, and none is in state; the user's tag iam-rotation tells the next run what this one left",
        "Next: run `pulumi up` again",
      ].join("\n"),
    );
    assert.deepEqual(await stack.up(), { did: "create" });
  });

  it("saves the new key as pending where its verification fails, and hands it to nobody", async () => {
    const stack = new FakeStack();
    stack.aws.passes.push(...never);
    const { error, isSaved } = await stack.up();
    assert.equal(isSaved, true);
    assert.equal(
      error?.message,
      [
        "access key AKIA0001 did not work 3 times in a row within 120 s: AWS does not know it yet",
        "Now: state keeps the new key: no key is current, AKIA0001 is pending; nobody was given it yet",
        "Next: run `pulumi up` again: it goes on with this key; iam-rotation:limits.verifySeconds gives it more time",
      ].join("\n"),
    );
    const { state } = stack;
    assert.deepEqual(
      [state.accessKeyId, state.secretAccessKey, state.secrets, state.sesSmtpPassword, state.generatedCredentials],
      [null, null, null, null, []],
    );
    assert.equal(state.pendingCredentials?.secretAccessKey, stack.aws.key("AKIA0001").secretAccessKey);
    assert.equal(state.rotationStatus, "failed");
    assert.equal(state.lastRotationMessage, error.message);
    assertNoSecret(stack, error.message + JSON.stringify(error));
  });

  it("goes on with the pending key in the next run, also after a refresh in between", async () => {
    for (const isRefreshed of [false, true]) {
      const stack = new FakeStack();
      stack.aws.passes.push(...never);
      await stack.up();
      stack.aws.passes.length = 0;
      if (isRefreshed) await stack.refresh();
      assert.deepEqual(await stack.up(), { did: "update" });
      assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active"]);
      assert.equal(stack.state.accessKeyId, "AKIA0001");
      assert.equal(stack.state.activeIndex, 0);
      assert.equal(stack.state.pendingCredentials, null);
      assert.equal(stack.state.rotationStatus, "success");
      assert.equal(stack.state.lastRotationMessage, null);
      assert.equal(stack.state.lastRotatedAt, START);
      assert.deepEqual(await stack.up(), { did: "same" });
    }
  });

  for (const [what, spoil] of [
    ["gone", (stack: FakeStack) => stack.aws.removeKey("AKIA0001")],
    ["Inactive", (stack: FakeStack) => void (stack.aws.key("AKIA0001").status = "Inactive")],
  ] as const) {
    it(`makes another first key in the next run where the pending one is ${what}`, async () => {
      const stack = new FakeStack();
      stack.aws.passes.push(...never);
      await stack.up();
      stack.aws.passes.length = 0;
      spoil(stack);
      assert.deepEqual(await stack.up(), { did: "update" });
      assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0002 Active"]);
      assert.equal(stack.state.accessKeyId, "AKIA0002");
      assert.equal(stack.state.rotationStatus, "success");
    });
  }

  it("makes another first key once the pending one was given up as hopeless", async () => {
    const stack = new FakeStack();
    stack.aws.passes.push(...never);
    await stack.up();
    stack.clock.advance({ hours: 2 });
    const { error, isSaved } = await stack.up();
    assert.match(error?.message ?? "", /was deleted/);
    assert.equal(isSaved, true);
    assert.deepEqual(stack.aws.listOf("ci-bot"), []);
    stack.aws.passes.length = 0;
    assert.deepEqual(await stack.up(), { did: "update" });
    assert.equal(stack.state.accessKeyId, "AKIA0002");
  });

  it("destroys a pending first key", async () => {
    const stack = new FakeStack();
    stack.aws.passes.push(...never);
    await stack.up();
    await stack.destroy();
    assert.deepEqual(stack.aws.listOf("ci-bot"), []);
  });
});

describe("create with adopt", () => {
  it("starts from the given key: it verifies it, writes the ledger and nothing else, and counts as a rotation by hand", async () => {
    const stack = new FakeStack();
    const given = adoption(stack);
    await stack.up(given);
    assert.deepEqual(
      stack.aws.calls.filter((call) => !/^(user|list|caller|identify)/.test(call)),
      ["tag"],
    );
    const { state } = stack;
    assert.equal(state.accessKeyId, "AKIA0001");
    assert.equal(state.secretAccessKey, stack.aws.key("AKIA0001").secretAccessKey);
    assert.equal(state.isLastRotationManual, true);
    assert.deepEqual(
      state.keys.map((key) => key.state),
      ["current"],
    );
    assert.equal("adopt" in state, false);
  });

  it("takes the key as its own from then on: rotation keeps it as previous, destroy deletes it", async () => {
    const stack = new FakeStack();
    const given = adoption(stack);
    await stack.up(given);
    assert.deepEqual(await stack.up(given), { did: "same" });
    stack.clock.advance({ days: 31 });
    await stack.up(given);
    assert.equal(stack.state.previousAccessKeyId, "AKIA0001");
    await stack.destroy();
    assert.deepEqual(stack.aws.listOf("ci-bot"), []);
  });

  it("adopts beside a foreign key, where making one would still be possible at the next rotation only", async () => {
    const stack = new FakeStack();
    const given = adoption(stack);
    stack.aws.addKey("ci-bot");
    await stack.up(given);
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0002 Active"]);
    await stack.destroy();
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0002 Active"]);
  });

  it("changes and saves nothing for a wrong secret, which no message holds", async () => {
    const stack = new FakeStack();
    const wrong = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const { error, isSaved } = await stack.up(adoption(stack, { secretAccessKey: wrong }));
    assert.ok(error instanceof UnauthorizedError);
    assert.equal(isSaved, false);
    assert.match(error.message, /Now: nothing was changed/);
    assert.ok(!(error.message + JSON.stringify(error)).includes(wrong));
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active"]);
  });

  it("changes and saves nothing for a key that is not the user's, or not Active, and lists those that are", async () => {
    const stack = new FakeStack();
    const given = adoption(stack, { accessKeyId: "AKIAOTHER" });
    const { error, isSaved } = await stack.up(given);
    assert.equal(isSaved, false);
    assert.equal(
      error?.message,
      [
        "adopt: access key AKIAOTHER is not a key of IAM user ci-bot",
        "Now: nothing was changed",
        "Next: give an Active key of the user; its keys: AKIA0001 (Active)",
      ].join("\n"),
    );
    stack.aws.key("AKIA0001").status = "Inactive";
    const { accessKeyId, secretAccessKey } = stack.aws.key("AKIA0001");
    const inactive = await stack.up(program({ adopt: { accessKeyId, secretAccessKey } }));
    assert.match(inactive.error?.message ?? "", /^adopt: access key AKIA0001 is Inactive\n/);
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Inactive"]);
  });

  it("changes and saves nothing where there is no such user", async () => {
    const stack = new FakeStack();
    const given = adoption(stack);
    stack.aws.removeUser("ci-bot");
    const { error, isSaved } = await stack.up(given);
    assert.ok(error instanceof NotFoundError);
    assert.equal(isSaved, false);
  });
});
