import assert from "node:assert/strict";

import { useAws } from "../support/aws";
import { assertShown, isShownBy } from "../support/guide";
import { readPage } from "../support/markdown";
import { writesOf } from "../support/awsProxy";
import { assertSameKey, currentOf, daysOn, NAME, previousOf, rotating, statesOf, USER } from "../support/rotation";
import { describeEngine, useStacks } from "../support/stack";

describeEngine("rotating a key", () => {
  const aws = useAws();
  const newStack = useStacks();

  beforeEach(() => aws.iam.createUser(USER));

  it("does nothing while nothing is due: preview and up make no AWS call at all", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });
    await stack.up();
    aws.forgetCalls();

    const runs = [await stack.preview(), await stack.up()];

    assert.deepEqual(aws.calls, []);
    for (const { ops } of runs) assert.deepEqual(ops, { [NAME]: "same" });
  });

  it("says in a preview 31 days on that a rotation is due and why, and makes no AWS call for it", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });
    await stack.up();
    const due = (await stack.outputsOf(NAME))?.["nextRotationAt"];
    aws.forgetCalls();

    await stack.asOf(daysOn(31, 1));
    const { text, ops } = await stack.preview();

    assert.deepEqual(ops, { [NAME]: "update" });
    assert.ok(text.includes(`due since ${String(due)}: every 30 days at 00:00 UTC`), text);
    assert.deepEqual(aws.calls, []);
    const readme = await readPage("README.md");
    for (const block of readme.blocks.filter(isShownBy("test/engine/rotate.test.ts"))) assertShown(block, readme, text);
  });

  it("rotates when due: both keys answer, the slot flips, and the next rotation is an interval later", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });
    await stack.up();
    const before = await stack.outputsOf(NAME);

    const instant = daysOn(31, 1);
    await stack.asOf(instant);
    const { ops } = await stack.up();

    const after = await stack.outputsOf(NAME);
    assert.deepEqual(ops, { [NAME]: "update" });
    assert.notEqual(currentOf(after).accessKeyId, currentOf(before).accessKeyId);
    assertSameKey(previousOf(after), currentOf(before));
    assert.equal(await aws.iam.keyWorks(USER, currentOf(after)), true);
    assert.equal(await aws.iam.keyWorks(USER, currentOf(before)), true);
    assert.deepEqual([before?.["activeIndex"], after?.["activeIndex"]], [0, 1]);
    assert.equal(after?.["lastRotatedAt"], instant.toISOString());
    assert.equal(after?.["isLastRotationManual"], false);
    const midnight = Date.UTC(instant.getUTCFullYear(), instant.getUTCMonth(), instant.getUTCDate() + 30);
    assert.equal(after?.["nextRotationAt"], new Date(midnight).toISOString());
  });

  it("deletes the previous key at the next rotation and takes its slot", async () => {
    const stack = await newStack({ endpoint: aws.endpoint, program: rotating() });
    await stack.up();
    const first = currentOf(await stack.outputsOf(NAME));
    await stack.asOf(daysOn(31, 1));
    await stack.up();
    const second = currentOf(await stack.outputsOf(NAME));

    await stack.asOf(daysOn(62, 1));
    await stack.up();

    const outputs = await stack.outputsOf(NAME);
    const third = currentOf(outputs);
    assert.equal(outputs?.["activeIndex"], 0);
    assert.deepEqual((await aws.iam.keyIds(USER)).sort(), [second.accessKeyId, third.accessKeyId].sort());
    assert.ok(!(first.accessKeyId in statesOf(outputs)));
  });

  it("rotates for a new rotationTrigger, as a manual rotation; taking the trigger away does not rotate", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating());
    const first = currentOf(await stack.outputsOf(NAME));

    const preview = await stack.preview(rotating({ rotationTrigger: "leaked" }));
    await stack.up();
    const rotated = await stack.outputsOf(NAME);
    assert.match(preview.text, /rotationTrigger has a new value/);
    assertSameKey(previousOf(rotated), first);
    assert.equal(rotated?.["isLastRotationManual"], true);

    aws.forgetCalls();
    await stack.up(rotating());
    const after = await stack.outputsOf(NAME);
    assertSameKey(currentOf(after), currentOf(rotated));
    assert.deepEqual(writesOf(aws.calls), []);
  });

  it("pauses while automatic rotation is off, and catches up when it is on again", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating());
    const first = currentOf(await stack.outputsOf(NAME));

    await stack.asOf(daysOn(31, 1));
    await stack.up(rotating({ isAutoRotationEnabled: false }));
    const paused = await stack.outputsOf(NAME);
    assertSameKey(currentOf(paused), first);
    assert.equal(paused?.["nextRotationAt"], null);

    await stack.up(rotating({ isAutoRotationEnabled: true }));
    assertSameKey(previousOf(await stack.outputsOf(NAME)), first);
  });
});
