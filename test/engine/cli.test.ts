import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { rotationPolicyDocument } from "pulumi-iam-rotation";

import { useAws } from "../support/aws";
import { currentOf, daysOn, NAME, rotating, USER } from "../support/rotation";
import { describeEngine, type TestStack, useStacks } from "../support/stack";

const CLI = join(__dirname, "../../provider/dist/cli/main.js");

/** Runs the built command line in a stack's folder, as `npx pulumi-iam-rotation` does. */
function cli(stack: TestStack, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { cwd: stack.folder, env: stack.environment() }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}

describeEngine("npx pulumi-iam-rotation", () => {
  const aws = useAws();
  const newStack = useStacks();

  beforeEach(() => aws.iam.createUser(USER));

  it("reads state through the engine, compares it with IAM, and changes neither", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.up(rotating({ previousKey: { deactivateAfterHours: 24 } }));
    await stack.up(rotating({ previousKey: { deactivateAfterHours: 24 }, rotationTrigger: "now" }));
    const outputs = await stack.outputsOf(NAME);
    const key = currentOf(outputs);
    const state = JSON.stringify(stack.rawState());
    aws.forgetCalls();

    const status = await cli(stack, "status");
    const report = await cli(stack, "report", "--html", "keys.html");
    const policy = await cli(stack, "policy");
    assert.deepEqual(aws.calls, []);
    const check = await cli(stack, "status", "--check", "--stack", "dev", "--json");

    assert.deepEqual([status.code, status.err], [0, ""]);
    assert.ok(status.out.includes(key.accessKeyId) && status.out.includes(String(outputs?.["previousAccessKeyId"])));
    assert.match(status.out, /1 rotation: nothing is due, nothing failed\./);
    const { rotations } = JSON.parse(check.out) as {
      rotations: { check: { question: string; isGood: boolean; answer: string }[] }[];
    };
    assert.deepEqual(
      rotations[0]?.check.map(({ question, isGood }) => `${question}: ${isGood}`),
      ["who am I", "may I look", "same user", "whose keys", "free slot", "would it rotate"].map(
        (each) => `${each}: true`,
      ),
    );
    // The previous key is younger than IAM's reporting lag.
    assert.match(rotations[0]?.check.at(-1)?.answer ?? "", /^not now, and none is due: access key .* counts as in use/);
    assert.equal(check.code, 0);
    const reads = ["iam:GetAccessKeyLastUsed", "iam:GetUser", "iam:ListAccessKeys", "sts:GetCallerIdentity"];
    assert.deepEqual([...new Set(aws.calls.map(({ action }) => action))].sort(), reads);
    assert.equal(JSON.stringify(stack.rawState()), state);
    assert.deepEqual(report, { code: 0, out: "keys.html: 1 rotation, 0 in need of attention\n", err: "" });
    assert.ok(readFileSync(join(stack.folder, "keys.html"), "utf8").includes(key.accessKeyId));
    assert.deepEqual(JSON.parse(policy.out), rotationPolicyDocument({ userArns: [String(outputs?.["userArn"])] }));
    for (const { out, err } of [status, check]) assert.ok(!(out + err).includes(key.secretAccessKey));
  });

  it("ends with 2 once a rotation is due, and with 1 where there is no such stack", async () => {
    const stack = await newStack({ endpoint: aws.endpoint });
    await stack.asOf(daysOn(-40));
    await stack.up(rotating());

    const due = await cli(stack, "status");
    const none = await cli(stack, "status", "--stack", "nope");

    assert.equal(due.code, 2);
    assert.match(due.out, /overdue by \d+ days/);
    assert.equal(none.code, 1);
    assert.match(none.err, /no stack named 'nope' found/);
  });
});
