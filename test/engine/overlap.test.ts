import assert from "node:assert/strict";

import { useAws } from "../support/aws";
import { writesOf } from "../support/awsProxy";
import { assertSameKey, currentOf, daysOn, NAME, previousOf, rotating, statesOf, USER } from "../support/rotation";
import { describeEngine, failing, useStacks } from "../support/stack";

describeEngine("the previous key", () => {
  const aws = useAws();
  const newStack = useStacks();

  beforeEach(() => aws.iam.createUser(USER));

  const statusOf = async (accessKeyId: string) =>
    (await aws.iam.keys(USER)).find((key) => key.accessKeyId === accessKeyId)?.status;

  it("is set Inactive by the first update after deactivateAfterHours, and by no earlier one", async () => {
    const program = rotating({ previousKey: { deactivateAfterHours: 24 } });
    const stack = await newStack({ endpoint: aws.endpoint, program });
    await stack.up();
    await stack.asOf(daysOn(31, 1));
    await stack.up();
    const { accessKeyId } = previousOf(await stack.outputsOf(NAME));

    await stack.asOf(daysOn(32, 0));
    assert.deepEqual((await stack.up()).ops, { [NAME]: "same" });
    assert.equal(await statusOf(accessKeyId), "Active");

    await stack.asOf(daysOn(32, 2));
    aws.forgetCalls();
    await stack.up();
    const outputs = await stack.outputsOf(NAME);
    assert.equal(await statusOf(accessKeyId), "Inactive");
    assert.deepEqual(writesOf(aws.calls), ["iam:UpdateAccessKey"]);
    assert.equal(statesOf(outputs)[accessKeyId], "inactive");
    assert.equal(await aws.iam.keyWorks(USER, currentOf(outputs)), true);

    // Inactive is not gone: the next rotation deletes it, and needs no gate for that.
    await stack.asOf(daysOn(62, 1));
    await stack.up();
    assert.equal(await statusOf(accessKeyId), undefined);
  });

  it("stays active while somebody uses it: the update succeeds, says so, and each one tries again", async () => {
    const policy = { previousKey: { deactivateAfterHours: 1 } };
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating(policy));
    await stack.up(rotating({ ...policy, rotationTrigger: "once" }));
    const previous = previousOf(await stack.outputsOf(NAME));
    await aws.iam.use(previous);

    await stack.asOf(daysOn(0, 6));
    await stack.up();
    const held = await stack.outputsOf(NAME);
    assert.equal(await statusOf(previous.accessKeyId), "Active");
    assert.equal(held?.["rotationStatus"], "success");
    assert.match(String(held?.["lastRotationMessage"]), /stays active, it counts as in use .*for sts in eu-west-1/);
    assert.ok((await stack.preview()).text.includes("trying again"));

    await stack.asOf(daysOn(1, 2));
    await stack.up();
    assert.equal(await statusOf(previous.accessKeyId), "Inactive");
    assert.equal((await stack.outputsOf(NAME))?.["lastRotationMessage"], null);
  });

  it('holds back a rotation that needs its slot while it is used, until whenInUse is "retire"', async () => {
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating());
    await stack.up(rotating({ rotationTrigger: "first" }));
    const before = await stack.outputsOf(NAME);
    const previous = previousOf(before);
    await aws.iam.use(previous);
    aws.forgetCalls();

    const { text } = await failing(stack.up(rotating({ rotationTrigger: "second" })));

    assert.ok(text.includes(`access key ${previous.accessKeyId} of IAM user ci-bot must go`), text);
    assert.match(text, /it was used at \S+Z for sts in eu-west-1/);
    assert.deepEqual(writesOf(aws.calls), []);
    const refused = await stack.outputsOf(NAME);
    assertSameKey(currentOf(refused), currentOf(before));
    assert.equal(refused?.["rotationStatus"], "failed");

    await stack.up(rotating({ rotationTrigger: "second", previousKey: { whenInUse: "retire" } }));
    const after = await stack.outputsOf(NAME);
    assertSameKey(previousOf(after), currentOf(before));
    assert.equal(await statusOf(previous.accessKeyId), undefined);
    assert.equal(after?.["rotationStatus"], "success");
  });
});
