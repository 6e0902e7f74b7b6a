import assert from "node:assert/strict";

import type { Effect } from "../../support/faultLane";
import { describeEngine } from "../../support/stack";
import { useCliStacks } from "./cliStacks";
import { publishedIn } from "./world";

describeEngine("Ctrl-C", () => {
  const stacks = useCliStacks();

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`by ${signal}, while a key is made: that step runs to its end and is saved, and the next up has nothing to do`, async function () {
      this.timeout(180_000);
      const userName = `interrupted-${signal.toLowerCase()}`;
      await stacks.iam.createUser(userName);
      const stack = await stacks.stackOf(userName);
      stacks.laneOf(userName).watch({
        action: "CreateAccessKey",
        nth: 1,
        times: 1,
        when: "before",
        effect: (): Effect => {
          stack.interrupt(signal);
          return "pass";
        },
      });

      const interrupted = await stack.up();

      const published = publishedIn(await stack.saved());
      assert.ok(published, interrupted.text);
      assert.deepEqual(await stacks.iam.keyIds(userName), [published.accessKeyId]);
      assert.ok(await stacks.iam.keyWorks(userName, published));
      const next = await stack.up();
      assert.equal(next.code, 0, next.text);
      assert.deepEqual(await stacks.iam.keyIds(userName), [published.accessKeyId]);
    });
  }
});
