import assert from "node:assert/strict";

import { AwsIamUserSecretRotation } from "pulumi-iam-rotation";

import { useAws } from "../support/aws";
import { writesOf } from "../support/awsProxy";
import { ARGS, assertSameKey, currentOf, daysOn, NAME, rotating, statesOf, USER } from "../support/rotation";
import { describeEngine, failing, useStacks } from "../support/stack";

describeEngine("a replacement that a person forces", () => {
  const aws = useAws();
  const newStack = useStacks();
  const created = async () => {
    await aws.iam.createUser(USER);
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating());
    return { stack, first: currentOf(await stack.outputsOf(NAME)) };
  };

  it("hands a new key over, and then deletes the old one: by --replace", async () => {
    const { stack, first } = await created();

    const { ops } = await stack.replace(NAME);

    assert.match(ops[NAME] ?? "", /create-replacement.*delete-replaced/);
    const current = currentOf(await stack.outputsOf(NAME));
    assert.notEqual(current.accessKeyId, first.accessKeyId);
    assert.equal(await aws.iam.keyWorks(USER, current), true);
    assert.deepEqual(await aws.iam.keyIds(USER), [current.accessKeyId]);
    // What the replacement found beside it is gone from AWS; a refresh puts state right, and then nothing moves.
    await stack.refresh();
    await stack.up();
    assert.deepEqual(statesOf(await stack.outputsOf(NAME)), { [current.accessKeyId]: "current" });
    assert.deepEqual((await stack.up()).ops, { [NAME]: "same" });
    assert.deepEqual(await aws.iam.keyIds(USER), [current.accessKeyId]);
  });

  it("does so for a tainted resource, too, and is no different from a destroy afterwards", async () => {
    const { stack, first } = await created();
    await stack.taint(NAME);

    await stack.up();

    const current = currentOf(await stack.outputsOf(NAME));
    assert.notEqual(current.accessKeyId, first.accessKeyId);
    assert.deepEqual(await aws.iam.keyIds(USER), [current.accessKeyId]);
    await stack.destroy();
    assert.deepEqual(await aws.iam.keyIds(USER), []);
  });

  it("is refused where both slots are taken, changes nothing, and says what to do instead; that works", async () => {
    const { stack, first } = await created();
    await stack.asOf(daysOn(31, 1));
    await stack.up();
    const before = await aws.iam.keyIds(USER);
    const current = currentOf(await stack.outputsOf(NAME));
    await stack.asOf(null);
    await stack.taint(NAME);
    aws.forgetCalls();

    const { text } = await failing(stack.up());

    assert.match(text, /has no free slot for a new access key/);
    assert.match(text, /drop --replace or `pulumi state untaint`, and set a new rotationTrigger instead/);
    assert.deepEqual(writesOf(aws.calls), []);
    assert.deepEqual(await aws.iam.keyIds(USER), before);
    assertSameKey(currentOf(await stack.outputsOf(NAME)), current);
    assert.ok(before.includes(first.accessKeyId));

    await stack.untaint(NAME);
    await stack.up(rotating({ rotationTrigger: "instead", previousKey: { whenInUse: "retire" } }));
    assert.notEqual(currentOf(await stack.outputsOf(NAME)).accessKeyId, current.accessKeyId);
  });
});

describeEngine("a rotation that gets another logical name", () => {
  const aws = useAws();
  const newStack = useStacks();
  const renamed = (aliases: string[]) => async () => {
    const options = { aliases: aliases.map((name) => ({ name })) };
    new AwsIamUserSecretRotation("successor", { ...ARGS, rotationTrigger: "now" }, options);
  };

  it("keeps its key with an alias, and goes on rotating", async () => {
    await aws.iam.createUser(USER);
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating());
    const first = currentOf(await stack.outputsOf(NAME));

    const { ops } = await stack.up(renamed([NAME]));

    assert.deepEqual(ops, { successor: "update" });
    const outputs = await stack.outputsOf("successor");
    assert.deepEqual(statesOf(outputs), {
      [currentOf(outputs).accessKeyId]: "current",
      [first.accessKeyId]: "previous",
    });
    assert.deepEqual((await stack.up()).ops, { successor: "same" });
  });

  it("is refused without one, with the name of the rotation that it was, and nothing is changed", async () => {
    await aws.iam.createUser(USER);
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating());
    const first = currentOf(await stack.outputsOf(NAME));
    aws.forgetCalls();

    const { text } = await failing(stack.up(renamed([])));

    assert.match(text, /are rotated by another rotation: flow\/dev\/ci-bot/);
    assert.match(text, /If it is the same resource under a former name: give it `aliases`/);
    assert.deepEqual(writesOf(aws.calls), []);
    assert.equal(await aws.iam.keyWorks(USER, first), true);
    await stack.up(renamed([NAME]));
  });
});
