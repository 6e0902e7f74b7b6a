import assert from "node:assert/strict";

import { ConflictError, ForbiddenError, InternalError, NotFoundError } from "../../provider/src/rotation/errors";
import { FakeStack, type Inputs, OTHER_CONNECTION_ID, program } from "../support/fakeStack";

const never = Array<"unknown">(1_000).fill("unknown");
const AUTO = { days: 31 };

async function created(given: Inputs = program()): Promise<FakeStack> {
  const stack = new FakeStack();
  await stack.up(given);
  stack.aws.calls.length = 0;
  return stack;
}

const statesOf = (stack: FakeStack) => stack.state.keys.map(({ accessKeyId, state }) => `${accessKeyId} ${state}`);
const writesOf = ({ aws }: FakeStack) => aws.calls.filter((call) => /^(create|delete|deactivate)/.test(call));

describe("update, when a rotation is due", () => {
  it("retires a key that only we ever used, also where parameters.region changed since", async () => {
    const stack = new FakeStack();
    const given = (region: string) =>
      program({
        parameters: { userName: "ci-bot", region },
        previousKey: { deactivateAfterHours: 0 },
        rotationTrigger: region,
      });
    await stack.up(given("us-east-1"));
    stack.clock.advance({ hours: 1 });
    await stack.up(given("eu-west-1"));
    stack.clock.advance({ hours: 5 });
    await stack.up(given("eu-west-1"));
    assert.equal(stack.state.lastRotationMessage, null);
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Inactive", "AKIA0002 Active"]);
  });

  it("makes a new key, keeps the old one working beside it, and says when and why", async () => {
    const stack = await created();
    stack.clock.advance(AUTO);
    const at = stack.clock.now().toISOString();
    assert.deepEqual(await stack.up(), { did: "update" });
    const { state } = stack;
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0002 Active"]);
    assert.deepEqual(statesOf(stack), ["AKIA0002 current", "AKIA0001 previous"]);
    assert.deepEqual([state.lastRotatedAt, state.lastRotationAttemptedAt, state.updatedAt], [at, at, at]);
    assert.equal(state.isLastRotationManual, false);
    assert.equal(state.rotation.number, 1);
    assert.equal(state.nextRotationAt, "2027-03-12T00:00:00.000Z");
    assert.equal(state.createdAt, "2027-01-10T08:30:00.000Z");
    assert.equal(state.lastRotationJobId, stack.opened.at(-1)?.jobId);
  });

  it("does nothing at all in the next run", async () => {
    const stack = await created();
    stack.clock.advance(AUTO);
    await stack.up();
    stack.aws.calls.length = 0;
    assert.deepEqual(await stack.up(), { did: "same" });
    assert.deepEqual(stack.aws.calls, []);
  });

  it("rotates once for a new trigger, by hand, and not again when it is taken away", async () => {
    const stack = await created();
    const triggered = program({ rotationTrigger: "1" });
    await stack.up(triggered);
    assert.equal(stack.state.accessKeyId, "AKIA0002");
    assert.equal(stack.state.isLastRotationManual, true);
    assert.deepEqual(await stack.up(triggered), { did: "same" });
    assert.deepEqual(await stack.up(program({ rotationTrigger: undefined, description: "d" })), { did: "update" });
    assert.deepEqual(await stack.up(program()), { did: "update" });
    assert.equal(stack.state.accessKeyId, "AKIA0002");
  });

  it("follows ignoreChanges: the old trigger handed back does not rotate", async () => {
    const stack = await created(program({ rotationTrigger: "1" }));
    const old: Inputs = { ...stack.resource?.inputs };
    assert.deepEqual(await stack.up(old), { did: "same" });
    stack.clock.advance(AUTO);
    assert.deepEqual(await stack.up({ ...old }), { did: "update" });
    assert.equal(stack.state.accessKeyId, "AKIA0002");
  });

  it("does not rotate while paused, and catches up in one rotation", async () => {
    const stack = await created();
    const paused = program({ isAutoRotationEnabled: false });
    await stack.up(paused);
    stack.clock.advance({ days: 100 });
    assert.deepEqual(await stack.up(paused), { did: "same" });
    assert.deepEqual(writesOf(stack), []);
    assert.deepEqual(await stack.up(), { did: "update" });
    assert.deepEqual(await stack.up(), { did: "same" });
    assert.equal(stack.state.accessKeyId, "AKIA0002");
  });
});

describe("update, when a rotation fails", () => {
  it("saves the old anchor, the failure and the pending key; what was due stays due and goes on with that key", async () => {
    const stack = await created();
    const anchor = stack.state.rotation;
    stack.clock.advance(AUTO);
    stack.aws.passes.push(...never);
    const { error, isSaved } = await stack.up();
    assert.equal(isSaved, true);
    const { state } = stack;
    assert.deepEqual(state.rotation, anchor);
    assert.equal(state.nextRotationAt, "2027-02-10T00:00:00.000Z");
    assert.equal(state.lastRotatedAt, "2027-01-10T08:30:00.000Z");
    assert.equal(state.rotationStatus, "failed");
    assert.equal(state.lastRotationMessage, error?.message);
    assert.equal(state.accessKeyId, "AKIA0001");
    assert.equal(state.activeIndex, 0);
    assert.deepEqual(statesOf(stack), ["AKIA0001 current", "AKIA0002 pending"]);
    assert.match(error?.message ?? "", /\nNow: AKIA0001 is current, AKIA0002 is pending; consumers keep AKIA0001\n/);

    stack.aws.passes.length = 0;
    stack.clock.advance({ hours: 5 });
    assert.deepEqual(await stack.up(), { did: "update" });
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0002 Active"]);
    assert.equal(stack.state.accessKeyId, "AKIA0002");
    assert.equal(stack.state.rotationStatus, "success");
    assert.equal(stack.state.lastRotationMessage, null);
    assert.equal(stack.state.rotation.number, 1);
    assert.deepEqual(await stack.up(), { did: "same" });
  });

  it("is as due after a refresh, which clears the engine's own memory of the failure", async () => {
    const stack = await created();
    stack.clock.advance(AUTO);
    stack.aws.fail("create", new InternalError({ what: "503" }));
    await stack.up();
    await stack.refresh();
    assert.deepEqual(await stack.up(), { did: "update" });
    assert.equal(stack.state.accessKeyId, "AKIA0002");
  });

  it("keeps the old inputs with it: nothing of the program's changes is half done", async () => {
    const stack = await created();
    stack.aws.fail("user", new ForbiddenError({ what: "AccessDenied" }));
    await stack.up(program({ rotationTrigger: "1", description: "new", secretPath: "/new" }));
    assert.equal(stack.state.description, null);
    assert.equal(stack.state.folder.path, "/ci");
    assert.equal(stack.state.rotationTrigger, undefined);
    await stack.up(program({ rotationTrigger: "1", description: "new", secretPath: "/new" }));
    assert.equal(stack.state.accessKeyId, "AKIA0002");
    assert.equal(stack.state.description, "new");
  });

  it("deletes the pending key, and makes no other, once nobody wants a rotation any more", async () => {
    const stack = await created();
    stack.aws.passes.push(...never);
    await stack.up(program({ rotationTrigger: "1" }));
    stack.aws.passes.length = 0;
    assert.deepEqual(await stack.up(program()), { did: "update" });
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active"]);
    assert.equal(stack.state.accessKeyId, "AKIA0001");
    assert.equal(stack.state.pendingCredentials, null);
    assert.equal(stack.state.rotationStatus, "success");
  });

  it("makes a new key once the user has none, also where nobody wants that rotation any more", async () => {
    const stack = await created();
    stack.aws.removeKey("AKIA0001");
    stack.aws.fail("create", new InternalError({ what: "503" }));
    await stack.up(program({ rotationTrigger: "1" }));
    assert.deepEqual(await stack.up(program()), { did: "update" });
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0002 Active"]);
    assert.equal(stack.state.accessKeyId, "AKIA0002");
    assert.deepEqual(await stack.up(program()), { did: "same" });
  });

  it("saves a refusal, too: state says why and until when, and the key in use is not touched", async () => {
    const stack = await created();
    stack.clock.advance(AUTO);
    await stack.up();
    stack.clock.advance(AUTO);
    stack.aws.key("AKIA0001").lastUse = { at: stack.clock.now().toISOString(), service: "s3", region: "us-east-1" };
    stack.aws.calls.length = 0;
    const { error, isSaved } = await stack.up();
    assert.ok(error instanceof ConflictError);
    assert.equal(isSaved, true);
    assert.equal(stack.state.rotationStatus, "failed");
    assert.equal(stack.state.keys[1]?.lastUsedAt, stack.clock.now().toISOString());
    assert.deepEqual(writesOf(stack), []);
    stack.clock.advance({ hours: 24 });
    assert.deepEqual(await stack.up(), { did: "update" });
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0002 Active", "AKIA0003 Active"]);
  });

  it("puts no secret into any message, and the run's id into the error", async () => {
    const stack = await created();
    stack.clock.advance(AUTO);
    stack.aws.passes.push(...never);
    const { error } = await stack.up();
    const text = JSON.stringify([error, error?.message, stack.state.lastRotationMessage, stack.logs]);
    for (const secret of stack.aws.secrets) assert.ok(!text.includes(secret));
    assert.equal(error?.reqId, stack.state.lastRotationJobId);
    assert.equal(error?.toJSON().reqId, stack.state.lastRotationJobId);
  });
});

describe("update, when the overlap is over", () => {
  const given = program({ previousKey: { deactivateAfterHours: 48 } });

  async function overlapping(): Promise<FakeStack> {
    const stack = await created(given);
    stack.clock.advance(AUTO);
    await stack.up(given);
    stack.aws.calls.length = 0;
    return stack;
  }

  it("sets the previous key Inactive, once, and moves nothing else", async () => {
    const stack = await overlapping();
    const { lastRotatedAt, lastRotationJobId, nextRotationAt, secretAccessKey } = stack.state;
    stack.clock.advance({ hours: 47 });
    assert.deepEqual(await stack.up(given), { did: "same" });
    stack.clock.advance({ hours: 1 });
    assert.deepEqual(await stack.up(given), { did: "update" });
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Inactive", "AKIA0002 Active"]);
    assert.deepEqual(statesOf(stack), ["AKIA0002 current", "AKIA0001 inactive"]);
    assert.deepEqual(writesOf(stack), ["deactivate AKIA0001"]);
    const after = stack.state;
    assert.deepEqual(
      [after.lastRotatedAt, after.lastRotationJobId, after.nextRotationAt, after.secretAccessKey],
      [lastRotatedAt, lastRotationJobId, nextRotationAt, secretAccessKey],
    );
    assert.deepEqual(await stack.up(given), { did: "same" });
  });

  it("holds back while the key is in use, succeeds with a message, and tries again in each run", async () => {
    const stack = await overlapping();
    stack.clock.advance({ hours: 48 });
    stack.aws.key("AKIA0001").lastUse = { at: stack.clock.from({ hours: -1 }), service: "s3", region: "us-east-1" };
    assert.deepEqual(await stack.up(given), { did: "update" });
    assert.equal(stack.state.rotationStatus, "success");
    assert.equal(
      stack.state.lastRotationMessage,
      `the previous key AKIA0001 stays active, it counts as in use until ${stack.clock.from({ hours: 23 })}: it was used at ${stack.clock.from({ hours: -1 })} for s3 in us-east-1`,
    );
    assert.equal(stack.state.rotation.previousKey, "active");
    assert.deepEqual(await stack.up(given), { did: "update" });
    assert.deepEqual(writesOf(stack), []);
    stack.clock.advance({ hours: 23 });
    assert.deepEqual(await stack.up(given), { did: "update" });
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Inactive", "AKIA0002 Active"]);
    assert.equal(stack.state.lastRotationMessage, null);
    assert.deepEqual(await stack.up(given), { did: "same" });
  });

  it("keeps trying after a refresh in between", async () => {
    const stack = await overlapping();
    stack.clock.advance({ hours: 48 });
    stack.aws.key("AKIA0001").lastUse = { at: stack.clock.from({ hours: -1 }), service: "s3", region: "us-east-1" };
    await stack.up(given);
    await stack.refresh();
    stack.clock.advance({ hours: 23 });
    await stack.up(given);
    assert.deepEqual(statesOf(stack), ["AKIA0002 current", "AKIA0001 inactive"]);
  });

  it("retires with 0 hours at the first run after the rotation; with whenInUse retire, at once", async () => {
    const hurry = program({ previousKey: { deactivateAfterHours: 0, whenInUse: "retire" }, rotationTrigger: "leak" });
    const stack = await created();
    await stack.up(hurry);
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Active", "AKIA0002 Active"]);
    await stack.up(hurry);
    assert.deepEqual(stack.aws.listOf("ci-bot"), ["AKIA0001 Inactive", "AKIA0002 Active"]);
  });

  it("saves a failed retirement, and tries again", async () => {
    const stack = await overlapping();
    stack.clock.advance({ hours: 48 });
    stack.aws.fail("deactivate", new ForbiddenError({ what: "AccessDenied" }));
    const { isSaved } = await stack.up(given);
    assert.equal(isSaved, true);
    assert.equal(stack.state.rotation.previousKey, "active");
    assert.deepEqual(await stack.up(given), { did: "update" });
    assert.deepEqual(statesOf(stack), ["AKIA0002 current", "AKIA0001 inactive"]);
  });
});

describe("update in place", () => {
  for (const changes of [
    { name: "other" },
    { description: "d" },
    { environment: "dev" },
    { secretPath: "/x" },
    { isAutoRotationEnabled: false },
    { rotationInterval: 90 },
    { rotateAtUtc: { hours: 5, minutes: 30 } },
    { parameters: { userName: "ci-bot", region: "eu-west-1" } },
    { secretsMapping: { accessKeyId: "A", secretAccessKey: "B" } },
    { previousKey: { quietHours: 1 } },
    { revokeGeneratedCredentials: false },
  ] as const) {
    it(`takes another ${Object.keys(changes)[0]} without a call to AWS, and then has nothing more to do`, async () => {
      const stack = await created();
      stack.clock.advance({ days: 1 });
      const { lastRotatedAt, lastRotationJobId, accessKeyId } = stack.state;
      assert.deepEqual(await stack.up(program(changes)), { did: "update" });
      assert.deepEqual(stack.aws.calls, []);
      const { state } = stack;
      assert.deepEqual(
        [state.lastRotatedAt, state.lastRotationJobId, state.accessKeyId],
        [lastRotatedAt, lastRotationJobId, accessKeyId],
      );
      assert.equal(state.updatedAt, stack.clock.now().toISOString());
      assert.deepEqual(await stack.up(program(changes)), { did: "same" });
    });
  }

  it("gives the next rotation of a changed interval from the last one", async () => {
    const stack = await created();
    await stack.up(program({ rotationInterval: 60 }));
    assert.equal(stack.state.nextRotationAt, "2027-03-12T00:00:00.000Z");
  });

  it("takes another connection that reaches the same user", async () => {
    const stack = await created();
    const { aws } = stack;
    stack.open = ({ userName }) => Promise.resolve(aws.open(userName));
    assert.deepEqual(await stack.up(program({ connectionId: OTHER_CONNECTION_ID })), { did: "update" });
    assert.deepEqual(stack.state.connection, { app: "aws", name: "other", id: OTHER_CONNECTION_ID });
    assert.deepEqual(stack.aws.calls, ["user"]);
  });

  it("refuses another connection that reaches another account's user of that name, and changes nothing", async () => {
    const stack = await created();
    const before = stack.state;
    const { error, isSaved } = await stack.up(program({ connectionId: OTHER_CONNECTION_ID }));
    assert.ok(error instanceof ConflictError);
    assert.equal(isSaved, false);
    assert.equal(
      error.message,
      [
        "connectionId reaches arn:aws:iam::210987654321:user/ci-bot, but this rotation's keys belong to arn:aws:iam::123456789012:user/ci-bot",
        "Now: nothing was changed",
        "Next: go back to a connection of the old account; to rotate the other account's user, declare a resource of its own",
      ].join("\n"),
    );
    assert.deepEqual(stack.state, before);
  });

  it("refuses another connection whose account has no such user", async () => {
    const stack = await created();
    stack.other.removeUser("ci-bot");
    const { error } = await stack.up(program({ connectionId: OTHER_CONNECTION_ID }));
    assert.ok(error instanceof NotFoundError);
    assert.match(
      error.message,
      /^connectionId reaches an account that has no IAM user ci-bot; this rotation's keys belong to/,
    );
  });

  it("refuses another account in a rotation, too, before any write", async () => {
    const stack = await created();
    const { error, isSaved } = await stack.up(program({ connectionId: OTHER_CONNECTION_ID, rotationTrigger: "1" }));
    assert.ok(error instanceof ConflictError);
    assert.equal(isSaved, true);
    assert.deepEqual(
      stack.other.calls.filter((call) => !/^(user|list|caller)$/.test(call)),
      [],
    );
    assert.deepEqual(stack.other.tagsOf("ci-bot"), {});
    assert.equal(stack.state.connectionId, "00000000-0000-0000-0000-000000000000");
    assert.equal(stack.state.connection.name, "ambient");
  });

  it("replaces for another user: the new one's key is there before the old one's are deleted", async () => {
    const stack = await created();
    stack.aws.addUser("deployer");
    const before = stack.resource?.id;
    const given = program({ parameters: { userName: "deployer" } });
    assert.deepEqual(await stack.up(given), { did: "replace" });
    assert.deepEqual(stack.aws.listOf("deployer"), ["AKIA0002 Active"]);
    assert.deepEqual(stack.aws.listOf("ci-bot"), []);
    assert.ok(stack.aws.calls.indexOf("create") < stack.aws.calls.indexOf("delete AKIA0001"));
    assert.notEqual(stack.resource?.id, before);
    assert.equal(stack.state.rotation.number, 0);
  });
});
