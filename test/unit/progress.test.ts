import assert from "node:assert/strict";

import { describeProgress } from "../../provider/src/rotation/progress";
import { FakeStack, program } from "../support/fakeStack";

/** A stack whose rotation has just been made. */
async function created(changes: Parameters<typeof program>[0] = {}): Promise<FakeStack> {
  const stack = new FakeStack();
  await stack.up(program(changes));
  return stack;
}

describe("The progress of a run", () => {
  it("tells the creation of the first key and its verification", async () => {
    const stack = await created();
    assert.deepEqual(stack.logs, [
      "ci-bot: created access key AKIA0001 for IAM user ci-bot; verifying it in us-east-1",
      "ci-bot: access key AKIA0001 verified 3/3 after 4 s",
    ]);
  });

  it("tells how long a key took that did not work at once", async () => {
    const stack = new FakeStack();
    stack.aws.propagationSeconds = 9;
    await stack.up(program());
    assert.equal(stack.logs[1], "ci-bot: access key AKIA0001 verified 3/3 after 14 s");
  });

  it("tells what a rotation deleted, made and verified, and until when the previous key works", async () => {
    const stack = await created({ previousKey: { deactivateAfterHours: 48 } });
    const rotate = async (trigger: string) => {
      stack.clock.advance({ days: 5 });
      stack.logs.length = 0;
      await stack.up(program({ previousKey: { deactivateAfterHours: 48 }, rotationTrigger: trigger }));
      const [why, ...steps] = stack.logs;
      assert.equal(why, "ci-bot: a new access key is to be made: rotationTrigger has a new value");
      return steps;
    };
    assert.deepEqual(await rotate("one"), [
      "ci-bot: created access key AKIA0002 for IAM user ci-bot; verifying it in us-east-1",
      "ci-bot: access key AKIA0002 verified 3/3 after 4 s",
      "ci-bot: previous key AKIA0001 stays active until the first `pulumi up` after 2027-01-17 08:30 UTC",
    ]);
    assert.deepEqual((await rotate("two")).slice(0, 2), [
      "ci-bot: deleted access key AKIA0001 of IAM user ci-bot",
      "ci-bot: created access key AKIA0003 for IAM user ci-bot; verifying it in us-east-1",
    ]);
  });

  it("says nothing about the overlap of a key that a person had disabled", async () => {
    const stack = await created();
    stack.aws.key("AKIA0001").status = "Inactive";
    await stack.refresh();
    stack.logs.length = 0;
    await stack.up();
    assert.equal(stack.logs.length, 3);
    assert.ok(!stack.logs.join().includes("stays active"));
  });

  it("tells a retirement, and one that is held back with its reason", async () => {
    const given = { previousKey: { deactivateAfterHours: 48 } };
    const stack = await created(given);
    const next = program({ ...given, rotationTrigger: "one" });
    await stack.up(next);
    stack.aws.key("AKIA0001").lastUse = { at: stack.clock.from({ hours: 47 }), service: "s3", region: "eu-west-1" };
    stack.clock.advance({ hours: 49 });
    stack.logs.length = 0;
    await stack.up(next);
    assert.match(stack.logs[0] ?? "", /^ci-bot: the previous key AKIA0001 stays active, .* for s3 in eu-west-1$/);
    stack.clock.advance({ hours: 48 });
    stack.logs.length = 0;
    await stack.up(next);
    assert.deepEqual(stack.logs.slice(-1), ["ci-bot: previous key AKIA0001 set Inactive"]);
  });

  it("tells a destroy which keys it deleted", async () => {
    const stack = await created();
    stack.logs.length = 0;
    await stack.destroy();
    assert.deepEqual(stack.logs, ["ci-bot: deleted access key AKIA0001 of IAM user ci-bot"]);
  });

  it("is silent where nothing is done: nothing due, a refresh, a change in place", async () => {
    const stack = await created();
    stack.logs.length = 0;
    await stack.up();
    await stack.refresh();
    await stack.up(program({ description: "another one" }));
    assert.deepEqual(stack.logs, []);
  });

  it("holds no secret", async () => {
    const stack = await created();
    for (const trigger of ["one", "two"]) {
      stack.clock.advance({ days: 3 });
      await stack.up(program({ rotationTrigger: trigger }));
    }
    const text = stack.logs.join("\n");
    assert.ok(stack.aws.secrets.length === 3 && stack.logs.length > 5);
    for (const secret of stack.aws.secrets) assert.ok(!text.includes(secret), "a secret was told");
  });

  it("names the next rotation where no overlap is set", () => {
    const setting = {
      userName: "ci-bot",
      region: "us-east-1",
      at: "2027-01-10T08:30:00.000Z",
      deactivateAfterHours: undefined,
    };
    assert.equal(
      describeProgress({ kind: "replaced", accessKeyId: "AKIA0001" }, setting),
      "previous key AKIA0001 stays active until the next rotation",
    );
  });
});
