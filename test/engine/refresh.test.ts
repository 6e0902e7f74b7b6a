import assert from "node:assert/strict";

import { useAws } from "../support/aws";
import { writesOf } from "../support/awsProxy";
import {
  assertSameKey,
  assertSameOutputs,
  currentOf,
  NAME,
  previousOf,
  rotating,
  statesOf,
  USER,
} from "../support/rotation";
import { describeEngine, useStacks } from "../support/stack";

describeEngine("refreshing a rotation", () => {
  const aws = useAws();
  const newStack = useStacks();

  beforeEach(() => aws.iam.createUser(USER));

  it("changes nothing when all is as state knows it", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });
    await stack.up();
    const before = await stack.outputsOf(NAME);
    aws.forgetCalls();

    await stack.refresh();

    assertSameOutputs(await stack.outputsOf(NAME), before);
    assert.deepEqual(writesOf(aws.calls), []);
    assert.deepEqual((await stack.up()).ops, { [NAME]: "same" });
  });

  it("takes the rotation out of state when the user is gone; the next up starts anew with a user made again", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });
    await stack.up();
    const before = currentOf(await stack.outputsOf(NAME));
    await aws.iam.deleteUser(USER);

    await stack.refresh();
    assert.deepEqual(await stack.resources(), []);

    await aws.iam.createUser(USER);
    await stack.up();
    const after = currentOf(await stack.outputsOf(NAME));
    assert.notEqual(after.accessKeyId, before.accessKeyId);
    assert.equal(await aws.iam.keyWorks(USER, after), true);
  });

  it("finds that the current key was deleted; the preview says so and the next up makes a new one", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });
    await stack.up();
    const lost = currentOf(await stack.outputsOf(NAME));
    await aws.iam.deleteKey(USER, lost.accessKeyId);

    await stack.refresh();
    const { text } = await stack.preview();
    assert.ok(text.includes(`the current key ${lost.accessKeyId} is no longer on the user`), text);

    await stack.up();
    const outputs = await stack.outputsOf(NAME);
    assert.equal(await aws.iam.keyWorks(USER, currentOf(outputs)), true);
    assert.deepEqual(statesOf(outputs), { [currentOf(outputs).accessKeyId]: "current" });
    assert.deepEqual((await stack.up()).ops, { [NAME]: "same" });
  });

  it("finds that the current key was disabled; the next up makes a new one and leaves that one disabled", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });
    await stack.up();
    const disabled = currentOf(await stack.outputsOf(NAME));
    await aws.iam.disableKey(USER, disabled.accessKeyId);

    await stack.refresh();
    await stack.up();

    const outputs = await stack.outputsOf(NAME);
    const { accessKeyId } = currentOf(outputs);
    assert.equal(await aws.iam.keyWorks(USER, currentOf(outputs)), true);
    assert.deepEqual(statesOf(outputs), { [accessKeyId]: "current", [disabled.accessKeyId]: "inactive" });
    const listed = (await aws.iam.keys(USER)).find((key) => key.accessKeyId === disabled.accessKeyId);
    assert.equal(listed?.status, "Inactive");
  });

  it("finds that the previous key was deleted; the next up puts state right and makes no key", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating());
    await stack.up(rotating({ rotationTrigger: "once" }));
    const before = await stack.outputsOf(NAME);
    await aws.iam.deleteKey(USER, previousOf(before).accessKeyId);

    await stack.refresh();
    aws.forgetCalls();
    await stack.up();

    const after = await stack.outputsOf(NAME);
    assert.deepEqual(writesOf(aws.calls), ["iam:TagUser"]);
    assertSameKey(currentOf(after), currentOf(before));
    assert.deepEqual(statesOf(after), { [currentOf(after).accessKeyId]: "current" });
    assert.equal(after?.["previousAccessKeyId"], null);
    assert.deepEqual((await stack.up()).ops, { [NAME]: "same" });
  });
});
