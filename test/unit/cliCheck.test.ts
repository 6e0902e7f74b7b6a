import assert from "node:assert/strict";

import { ForbiddenError } from "../../provider/src/rotation/errors";
import { exported, exportOf, FakeCli } from "../support/fakeCli";
import { FakeStack, program } from "../support/fakeStack";

interface Check {
  readonly code: number;
  /** Answers by question, the bad ones with a leading "NO: ". */
  readonly answers: Readonly<Record<string, string>>;
}

async function brought(): Promise<{ cli: FakeCli; stack: FakeStack }> {
  const stack = new FakeStack();
  await stack.up(program());
  stack.clock.advance({ days: 2 });
  stack.aws.calls.length = 0;
  return { stack, cli: new FakeCli(stack) };
}

async function check({ cli, stack }: { cli: FakeCli; stack: FakeStack }): Promise<Check> {
  cli.stacks.set("", exportOf([exported(stack)]));
  const { code, out } = await cli.run("status", "--check", "--json");
  const { rotations } = JSON.parse(out) as {
    rotations: { check: { question: string; isGood: boolean; answer: string }[] }[];
  };
  const answers = rotations[0]?.check.map(({ question, isGood, answer }) => [
    question,
    (isGood ? "" : "NO: ") + answer,
  ]);
  return { code, answers: Object.fromEntries(answers ?? []) as Record<string, string> };
}

describe("pulumi-iam-rotation status --check", () => {
  it("says who signs, that it may look, whose keys there are, and that a rotation would go through", async () => {
    const setting = await brought();
    const { code, answers } = await check(setting);
    assert.equal(code, 0);
    assert.deepEqual(answers, {
      "who am I": 'arn:aws:iam::123456789012:user/pipeline, over connection "ambient"',
      "may I look": "yes: the user, its keys, and when they were last used; writes were not tried",
      "same user": `yes: arn:aws:iam::123456789012:user/ci-bot (${setting.stack.state.userId})`,
      "whose keys": "AKIA0001 Active: this rotation's current key, last used 2 days ago for sts in us-east-1",
      "free slot": "yes: 1 of 2 keys",
      "would it rotate": "yes, if it were due now",
    });
  });

  it("only reads", async () => {
    const setting = await brought();
    await check(setting);
    const methods = new Set(setting.stack.aws.calls.map((call) => call.split(" ")[0]));
    assert.deepEqual([...methods].sort(), ["caller", "lastUse", "list", "user"]);
  });

  it("shows the answers as text, with what is wrong among what needs somebody", async () => {
    const { cli, stack } = await brought();
    stack.aws.key("AKIA0001").status = "Inactive";
    cli.stacks.set("", exportOf([exported(stack)]));
    const { code, out } = await cli.run("status", "--check");
    assert.equal(code, 2);
    assert.match(out, /ci-bot, compared with IAM:\n {2}ok {2}who am I +arn:aws/);
    assert.match(out, /\n {2}NO {2}whose keys +AKIA0001 Inactive: this rotation's current key/);
    assert.match(out, /- ci-bot: whose keys: AKIA0001 Inactive/);
    assert.match(out, /consumers are given a key that does not work/);
  });

  it("sees a key that a person made, and that a rotation would be refused because of it", async () => {
    const setting = await brought();
    setting.stack.aws.addKey("ci-bot");
    const { code, answers } = await check(setting);
    assert.equal(code, 2);
    assert.match(answers["whose keys"] ?? "", /AKIA0002 Active: not this rotation's, never used/);
    assert.equal(answers["free slot"], "no: 2 of 2 keys");
    assert.match(answers["would it rotate"] ?? "", /^NO: IAM user ci-bot has no free slot .*\n {2}AKIA0001 /);
  });

  it("takes a previous key in use as no fault while nothing is due, and as one when a rotation would fail by it", async () => {
    const setting = await brought();
    await setting.stack.up(program({ rotationTrigger: "one" }));
    const early = await check(setting);
    assert.equal(early.code, 0);
    assert.match(early.answers["would it rotate"] ?? "", /^not now, and none is due: access key AKIA0001 /);

    setting.stack.clock.advance({ days: 40 });
    const at = setting.stack.clock.from({ hours: -1 });
    setting.stack.aws.key("AKIA0001").lastUse = { at, service: "s3", region: "eu-west-1" };
    const late = await check(setting);
    assert.equal(late.code, 2);
    assert.match(late.answers["would it rotate"] ?? "", /^NO: access key AKIA0001 .* for s3 in eu-west-1$/);
  });

  it("sees that a key is missing, that the user was made again, and that it is gone", async () => {
    const missing = await brought();
    missing.stack.aws.removeKey("AKIA0001");
    const gone = await check(missing);
    assert.deepEqual(
      [gone.code, /^NO: AKIA0001: .* no longer on the user/.test(gone.answers["whose keys"] ?? "")],
      [2, true],
    );

    const again = await brought();
    again.stack.aws.recreateUser("ci-bot");
    assert.match((await check(again)).answers["same user"] ?? "", /^NO: IAM user ci-bot was deleted and made again/);

    const removed = await brought();
    removed.stack.aws.removeUser("ci-bot");
    assert.match((await check(removed)).answers["same user"] ?? "", /^NO: IAM user ci-bot does not exist any more/);
  });

  it("tells what AWS refuses as an answer, with what to allow", async () => {
    const setting = await brought();
    const error = new ForbiddenError({ what: "iam:GetUser was denied", next: "allow iam:GetUser" });
    setting.stack.aws.fail("user", error);
    const { code, answers } = await check(setting);
    assert.deepEqual([code, answers["may I look"]], [2, "NO: iam:GetUser was denied\nNext: allow iam:GetUser"]);

    const uses = await brought();
    uses.stack.aws.fail("lastUse", error);
    assert.match((await check(uses)).answers["may I look"] ?? "", /^NO: iam:GetAccessKeyLastUsed failed for AKIA0001/);
  });

  it("sees that the connection signs with a key of the very user that it is to rotate", async () => {
    const setting = await brought();
    const { userId, userArn: arn } = setting.stack.state;
    setting.stack.aws.signer = { userId, arn, accountId: setting.stack.aws.accountId, isTemporary: false };
    const { code, answers } = await check(setting);
    assert.equal(code, 2);
    assert.match(answers["would it rotate"] ?? "", /^NO: connection "ambient" signs with an access key of .*ci-bot/);
  });

  it("knows our own verification by the region in which it was done, when the rotation has moved since", async () => {
    const setting = await brought();
    await setting.stack.up(program({ rotationTrigger: "one" }));
    setting.stack.clock.advance({ days: 40 });
    const { cli, stack } = setting;
    const resource = exported(stack);
    cli.stacks.set(
      "",
      exportOf([
        {
          ...resource,
          outputs: {
            ...resource.outputs,
            parameters: program({ parameters: { userName: "ci-bot", region: "eu-west-1" } })["parameters"],
            previousKey: { quietHours: 24 * 60, whenInUse: "wait" },
          },
        },
      ]),
    );
    const { out } = await cli.run("status", "--check");
    assert.match(out, /ok {2}would it rotate +yes, if it were due now/);
  });

  it("tells an unknown connection as an answer", async () => {
    const { cli, stack } = await brought();
    const resource = exported(stack);
    const outputs = { ...resource.outputs, connectionId: "aaaaaaaa-0000-4000-8000-00000000000c" };
    cli.stacks.set("", exportOf([{ ...resource, outputs }]));
    const { code, out } = await cli.run("status", "--check");
    assert.equal(code, 2);
    assert.match(out, /NO {2}who am I {2}connectionId: is not among the connections of this stack/);
  });

  it("does not ask for the config's secrets where no connection holds one, and for nothing else where one does", async () => {
    const setting = await brought();
    setting.cli.config.set("iam-rotation:connections", { value: "{}" });
    setting.cli.config.set("app:password", { value: "other", secret: true });
    await check(setting);
    assert.deepEqual(setting.cli.asked, ["stack export", "config --json"]);

    setting.cli.asked.length = 0;
    setting.cli.config.set("iam-rotation:connections", { value: "{}", secret: true });
    await check(setting);
    assert.deepEqual(setting.cli.asked, ["stack export", "config --json", "config get iam-rotation:connections"]);
  });
});
