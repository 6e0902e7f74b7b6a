import assert from "node:assert/strict";

import { useAws } from "../support/aws";
import { currentOf } from "../support/rotation";
import { describeEngine, useStacks } from "../support/stack";

describeEngine("the project at the root of the repository", () => {
  const aws = useAws();
  const newStack = useStacks();

  it("runs the quickstart in Pulumi's own Node.js host, for the user that its config names", async () => {
    await aws.iam.createUser("deploy-bot");
    const stack = await newStack({
      endpoint: aws.endpoint,
      project: { folder: ".", parts: ["Pulumi.yaml", "examples/quickstart"] },
      config: { "iam-rotation-quickstart:userName": "deploy-bot" },
    });

    const { text } = await stack.up();

    const key = currentOf(await stack.outputsOf("ci-bot"));
    assert.equal(await aws.iam.keyWorks("deploy-bot", key), true);
    assert.match(text, /secrets +: \[secret\]/);
  });
});
