import assert from "node:assert/strict";

import { writesOf } from "../support/awsProxy";
import { useAws } from "../support/aws";
import { assertSameKey, currentOf, daysOn, NAME, previousOf, rotating, statesOf, USER } from "../support/rotation";
import { describeEngine, failing, useStacks } from "../support/stack";

describeEngine("creating a rotation", () => {
  const aws = useAws();
  const newStack = useStacks();

  beforeEach(() => aws.iam.createUser(USER));

  it("makes a working first key at once, also with automatic rotation off", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });

    await stack.up(rotating({ isAutoRotationEnabled: false }));

    const outputs = await stack.outputsOf(NAME);
    assert.equal(await aws.iam.keyWorks(USER, currentOf(outputs)), true);
    assert.deepEqual(statesOf(outputs), { [currentOf(outputs).accessKeyId]: "current" });
    assert.equal(outputs?.["nextRotationAt"], null);
    assert.equal(outputs?.["isLastRotationManual"], true);
    assert.equal(outputs?.["rotationStatus"], "success");
  });

  it("refuses when both slots are taken, names the keys, and saves nothing", async () => {
    const keys = [await aws.iam.addKey(USER), await aws.iam.addKey(USER)];
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });

    const { text } = await failing(stack.up());

    assert.match(text, /has no free slot for a new access key/);
    for (const { accessKeyId } of keys) assert.ok(text.includes(accessKeyId), text);
    assert.match(text, /aws iam delete-access-key --user-name ci-bot/);
    assert.deepEqual(await stack.resources(), []);
    assert.deepEqual(writesOf(aws.calls), []);
  });

  it("refuses a user that does not exist and saves nothing", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });

    const { text } = await failing(stack.up(rotating({ parameters: { userName: "nobody" } })));

    assert.match(text, /IAM user nobody does not exist/);
    assert.deepEqual(await stack.resources(), []);
  });

  it("adopts a key that the user has: it makes none, later rotates it, and in the end deletes it", async () => {
    const existing = await aws.iam.addKey(USER);
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating({ adopt: existing }) });

    await stack.up();
    assert.deepEqual(writesOf(aws.calls), ["iam:TagUser"]);
    const adopted = await stack.outputsOf(NAME);
    assertSameKey(currentOf(adopted), existing);
    assert.deepEqual((await stack.up()).ops, { [NAME]: "same" });

    await stack.asOf(daysOn(31));
    await stack.up();
    const rotated = await stack.outputsOf(NAME);
    assertSameKey(previousOf(rotated), existing);
    assert.equal(await aws.iam.keyWorks(USER, currentOf(rotated)), true);

    await stack.destroy();
    assert.deepEqual(await aws.iam.keys(USER), []);
  });

  it("refuses to adopt another user's key and changes nothing", async () => {
    await aws.iam.createUser("somebody-else");
    const foreign = await aws.iam.addKey("somebody-else");
    const stack = await newStack({ endpoint: aws.endpoint });

    const { text } = await failing(stack.up(rotating({ adopt: foreign })));

    assert.match(text, /adopt: access key \w+ is not a key of IAM user ci-bot/);
    assert.deepEqual(await stack.resources(), []);
    assert.deepEqual(await aws.iam.keys(USER), []);
    assert.deepEqual(await aws.iam.keyIds("somebody-else"), [foreign.accessKeyId]);
  });

  it("refuses to adopt a key whose secret is wrong and changes nothing", async () => {
    const existing = await aws.iam.addKey(USER);
    const { accessKeyId, secretAccessKey } = await aws.requireSignatures();
    const stack = await newStack({
      endpoint: aws.endpoint,
      env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    });
    const wrong = { accessKeyId: existing.accessKeyId, secretAccessKey: "not-the-secret-of-this-key" };

    const { text } = await failing(stack.up(rotating({ adopt: wrong })));

    assert.match(
      text,
      new RegExp(`sts:GetCallerIdentity .*access key ${existing.accessKeyId}.* SignatureDoesNotMatch`),
    );
    assert.ok(!text.includes(wrong.secretAccessKey));
    assert.deepEqual(await stack.resources(), []);
    assert.deepEqual(await aws.iam.keys(USER), [{ accessKeyId: existing.accessKeyId, status: "Active" }]);
  });
});
