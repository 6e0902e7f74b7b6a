import assert from "node:assert/strict";

import { useAws } from "../support/aws";
import { writesOf } from "../support/awsProxy";
import { currentOf, NAME, previousOf, rotating, USER } from "../support/rotation";
import { describeEngine, useStacks } from "../support/stack";

describeEngine("destroying a rotation", () => {
  const aws = useAws();
  const newStack = useStacks();

  beforeEach(() => aws.iam.createUser(USER));

  it("deletes the current and the previous key", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating());
    await stack.up(rotating({ rotationTrigger: "once" }));
    assert.equal((await aws.iam.keys(USER)).length, 2);

    await stack.destroy();

    assert.deepEqual(await aws.iam.keys(USER), []);
    assert.deepEqual(await stack.resources(), []);
  });

  it("leaves a key of somebody else on the same user", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });
    await stack.up();
    const foreign = await aws.iam.addKey(USER);

    await stack.destroy();

    assert.deepEqual(await aws.iam.keyIds(USER), [foreign.accessKeyId]);
  });

  it("counts a key that is already gone as done", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating());
    await stack.up(rotating({ rotationTrigger: "once" }));
    await aws.iam.deleteKey(USER, previousOf(await stack.outputsOf(NAME)).accessKeyId);

    await stack.destroy();

    assert.deepEqual(await aws.iam.keys(USER), []);
    assert.deepEqual(await stack.resources(), []);
  });

  it("counts a user that is already gone as done", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });
    await stack.up();
    await aws.iam.deleteUser(USER);

    await stack.destroy();

    assert.deepEqual(await stack.resources(), []);
  });

  it("leaves the keys with revokeGeneratedCredentials: false, and takes only its tags away", async () => {
    const stack = await newStack({
      endpoint: aws.endpoint,
      program: rotating({ revokeGeneratedCredentials: false }),
    });
    await stack.up();
    const key = currentOf(await stack.outputsOf(NAME));
    aws.forgetCalls();

    await stack.destroy();

    assert.deepEqual(writesOf(aws.calls), ["iam:UntagUser"]);
    assert.equal(await aws.iam.keyWorks(USER, key), true);
  });
});
