import assert from "node:assert/strict";

import { useAws } from "../support/aws";
import { type AwsCall, writesOf } from "../support/awsProxy";
import type { Credential } from "../support/iam";
import { assertSameKey, currentOf, daysOn, NAME, previousOf, rotating, statesOf, USER } from "../support/rotation";
import { describeEngine, failing, useStacks } from "../support/stack";

// What STS says of a key that has not reached it yet.
const notLiveYet = (call: AwsCall) =>
  call.action === "sts:GetCallerIdentity" && call.signedBy !== "test"
    ? { status: 403, code: "InvalidClientTokenId" }
    : undefined;

describeEngine("a rotation that fails", () => {
  const aws = useAws();
  const newStack = useStacks();
  const limits = { verifySeconds: 3 };

  beforeEach(() => aws.iam.createUser(USER));

  it("saves a first key that does not work yet as pending, and the next up goes on with it, also after a refresh", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating(), limits });
    aws.failOn(notLiveYet);

    const { text } = await failing(stack.up());

    const pending = (await stack.outputsOf(NAME))?.["pendingCredentials"] as unknown as Credential;
    assert.match(text, /did not work 3 times in a row/);
    assert.ok(text.includes(pending.accessKeyId), text);
    assert.equal((await stack.outputsOf(NAME))?.["accessKeyId"] ?? null, null);

    // A refresh clears the engine's own memory of the failure.
    aws.failOn(undefined);
    await stack.refresh();
    aws.forgetCalls();
    await stack.up();
    const outputs = await stack.outputsOf(NAME);
    assertSameKey(currentOf(outputs), pending);
    assert.equal(outputs?.["pendingCredentials"] ?? null, null);
    assert.equal(outputs?.["rotationStatus"], "success");
    assert.deepEqual(writesOf(aws.calls), ["iam:TagUser"]);
    assert.deepEqual((await stack.up()).ops, { [NAME]: "same" });
  });

  it("keeps handing out the old key while the new one does not work, and stays due", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating(), limits });
    await stack.up();
    const old = currentOf(await stack.outputsOf(NAME));
    await stack.asOf(daysOn(31, 1));
    aws.failOn(notLiveYet);

    await failing(stack.up());

    const failed = await stack.outputsOf(NAME);
    const pending = failed?.["pendingCredentials"] as unknown as Credential;
    assertSameKey(currentOf(failed), old);
    assert.equal(failed?.["rotationStatus"], "failed");
    assert.deepEqual(statesOf(failed), { [old.accessKeyId]: "current", [pending.accessKeyId]: "pending" });
    assert.equal(await aws.iam.keyWorks(USER, old), true);

    aws.failOn(undefined);
    await stack.up();
    const outputs = await stack.outputsOf(NAME);
    assertSameKey(currentOf(outputs), pending);
    assertSameKey(previousOf(outputs), old);
    assert.equal(outputs?.["rotationStatus"], "success");
    assert.equal(outputs?.["lastRotationMessage"], null);
  });

  it("destroys what a failed creation left behind", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating(), limits });
    aws.failOn(notLiveYet);
    await failing(stack.up());
    aws.failOn(undefined);

    await stack.destroy();

    assert.deepEqual(await aws.iam.keys(USER), []);
    assert.deepEqual(await stack.resources(), []);
  });

  it("names the call, the user, AWS's own words and what to allow when AWS denies a call", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });
    aws.failOn((call) => (call.action === "iam:CreateAccessKey" ? { status: 403, code: "AccessDenied" } : undefined));

    const { text } = await failing(stack.up());

    assert.match(text, /iam:CreateAccessKey for IAM user ci-bot failed over connection "ambient": AccessDenied/);
    assert.match(text, /allow iam:CreateAccessKey on the user/);
    assert.deepEqual(await stack.resources(), []);
  });
});
