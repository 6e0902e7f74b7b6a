import assert from "node:assert/strict";

import type { Command } from "../../support/command";
import type { Effect } from "../../support/faultLane";
import { describeEngine } from "../../support/stack";
import { makeStateBucket } from "../../support/stateBucket";
import { NAME, useCliStacks } from "./cliStacks";
import { publishedIn } from "./world";

describeEngine("Two at once", () => {
  const stacks = useCliStacks();

  it("on one stack with an S3 backend: one is told that the stack is locked, and nothing is harmed", async function () {
    this.timeout(180_000);
    const userName = "locked-user";
    await stacks.iam.createUser(userName);
    const stack = await stacks.stackOf(userName, "dev", await makeStateBucket(stacks.moto.endpoint, "states"));

    // The second one runs from end to end while the first one waits for its key.
    let second: Command | undefined;
    stacks.laneOf(userName).watch({
      action: "CreateAccessKey",
      nth: 1,
      times: 1,
      when: "before",
      effect: async (): Promise<Effect> => {
        second = await stack.up();
        return "pass";
      },
    });
    const first = await stack.up();

    assert.equal(first.code, 0, first.text);
    assert.notEqual(second?.code, 0);
    assert.match(second?.text ?? "", /the stack is currently locked/);
    const published = publishedIn(await stack.saved());
    assert.deepEqual(await stacks.iam.keyIds(userName), [published?.accessKeyId]);
    assert.ok(published && (await stacks.iam.keyWorks(userName, published)));
  });

  it("from two stacks on one user: the second is refused with the name of the first", async function () {
    this.timeout(180_000);
    const userName = "shared-user";
    await stacks.iam.createUser(userName);
    const first = await stacks.stackOf(userName, "dev");
    const second = await stacks.stackOf(userName, "other");

    const ran = await first.up();
    assert.equal(ran.code, 0, ran.text);
    const refused = await second.up();

    assert.notEqual(refused.code, 0);
    assert.match(refused.text, new RegExp(`rotated by another rotation: sweep/dev/${NAME}`));
    const published = publishedIn(await first.saved());
    assert.deepEqual(await stacks.iam.keyIds(userName), [published?.accessKeyId]);
    assert.ok(published && (await stacks.iam.keyWorks(userName, published)));
    assert.equal(await second.saved(), undefined);
  });
});
