import assert from "node:assert/strict";

import { useAws } from "../support/aws";
import { assertShown, isShownBy } from "../support/guide";
import { readPage } from "../support/markdown";
import { currentOf, NAME, rotating, USER } from "../support/rotation";
import { describeEngine, useStacks } from "../support/stack";

/** The lines of the provider in what the engine printed. */
const toldIn = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith(`${NAME}: `));

describeEngine("the engine's output during a rotation", () => {
  const aws = useAws();
  const newStack = useStacks();

  beforeEach(() => aws.iam.createUser(USER));

  it("shows each step that matters, once, and nothing where nothing is done", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });
    const policy = { previousKey: { deactivateAfterHours: 24 } };
    const creation = await stack.up(rotating(policy));
    const first = currentOf(await stack.outputsOf(NAME)).accessKeyId;

    const rotation = await stack.up(rotating({ ...policy, rotationTrigger: "now" }));
    const second = currentOf(await stack.outputsOf(NAME)).accessKeyId;
    const again = await stack.up();
    const preview = await stack.preview();

    const told = toldIn(creation.text).map((line) => line.replace(/after \d+ s/, "after N s"));
    assert.deepEqual(told, [
      `${NAME}: created access key ${first} for IAM user ${USER}; verifying it in us-east-1`,
      `${NAME}: access key ${first} verified 3/3 after N s`,
    ]);
    const [why, made, verified, stays, ...more] = toldIn(rotation.text);
    assert.equal(why, `${NAME}: a new access key is to be made: rotationTrigger has a new value`);
    assert.equal(made, `${NAME}: created access key ${second} for IAM user ${USER}; verifying it in us-east-1`);
    assert.match(verified ?? "", new RegExp(`^${NAME}: access key ${second} verified 3/3 after \\d+ s$`));
    assert.match(stays ?? "", new RegExp(`^${NAME}: previous key ${first} stays active until the first .* UTC$`));
    assert.deepEqual(more, []);
    const readme = await readPage("README.md");
    const shown = readme.blocks.filter(isShownBy("test/engine/progress.test.ts"));
    // The hour of the day is another one in each run.
    const timeless = (text: string) => text.replace(/\d\d:\d\d UTC/g, "12:00 UTC");
    assert.equal(shown.length, 1);
    for (const block of shown) assertShown({ ...block, text: timeless(block.text) }, readme, timeless(rotation.text));
    assert.deepEqual([...toldIn(again.text), ...toldIn(preview.text)], []);
  });
});
