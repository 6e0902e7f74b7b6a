import assert from "node:assert/strict";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";

import { useAws } from "../support/aws";
import { type Command, runCommand } from "../support/command";
import { engineEnvironment } from "../support/engineEnvironment";
import { AWS_PLUGIN } from "../support/example";
import { assertShown, isShownBy } from "../support/guide";
import type { Credential } from "../support/iam";
import { readPage } from "../support/markdown";
import { daysOn } from "../support/rotation";
import { makeStateBucket } from "../support/stateBucket";
import { describeEngine } from "../support/stack";
import { readWorkflow, runSteps } from "../support/workflow";

const ROOT = join(__dirname, "../..");
const PROJECT = join(ROOT, "examples/github-actions");
const FILE = join(PROJECT, ".github/workflows/rotate.yml");
const USERS = ["deploy-bot", "mail-bot"] as const;

const workflow = readWorkflow(FILE);
const steps = workflow.jobs["rotate"]?.steps ?? [];
const actionOf = (name: string) => steps.find(({ uses }) => uses?.startsWith(`${name}@`));

describe("the workflow of the example github-actions", () => {
  it("runs by a schedule and by hand, one at a time, and is never ended in the middle", () => {
    assert.match(workflow.on.schedule?.[0]?.cron ?? "", /^[1-9]\d? \d+ \* \* \*$/);
    assert.ok("workflow_dispatch" in workflow.on);
    assert.equal(workflow.concurrency?.["cancel-in-progress"], false);
    assert.doesNotMatch(readFileSync(FILE, "utf8"), /^\s*timeout-minutes:/m);
  });

  it("may read the repository and ask for a token, and has no key of AWS", () => {
    assert.deepEqual(workflow.permissions, { contents: "read", "id-token": "write" });
    const login = actionOf("aws-actions/configure-aws-credentials");
    assert.deepEqual(Object.keys(login?.with ?? {}).sort(), ["aws-region", "role-to-assume"]);
    assert.doesNotMatch(readFileSync(FILE, "utf8"), /AWS_(SECRET_)?ACCESS_KEY/);
    assert.equal(actionOf("actions/checkout")?.with?.["persist-credentials"], false);
  });

  it("pins each action by a whole commit, with its version beside it, and the engine by its version", () => {
    const uses = readFileSync(FILE, "utf8").match(/uses: .+/g) ?? [];
    assert.equal(uses.length, 4);
    for (const line of uses) assert.match(line, /^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    assert.match(String(actionOf("pulumi/actions")?.with?.["pulumi-version"]), /^\d+\.\d+\.\d+$/);
    assert.equal(actionOf("pulumi/actions")?.with?.["command"], undefined);
  });

  it("goes on after a failed rotation, prints no output, and sums up whatever happened", () => {
    const up = steps.find(({ name }) => name === "Rotate what is due")?.run ?? "";
    assert.match(up, /--continue-on-error/);
    assert.match(up, /--suppress-outputs/);
    assert.equal(workflow.defaults?.run.shell, "bash");
    assert.equal(steps.at(-1)?.if, "always()");
  });
});

describeEngine("the scripts of the workflow of the example github-actions", () => {
  const aws = useAws();
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let ssm: SSMClient;

  beforeEach(async () => {
    for (const user of USERS) await aws.iam.createUser(user);
    const cache = join(ROOT, ".cache");
    mkdirSync(cache, { recursive: true });
    // In the clone, so that its packages are found: there is nothing to install.
    folder = mkdtempSync(join(cache, "github-actions-"));
    for (const file of ["Pulumi.yaml", "index.ts", "package.json", "tsconfig.json"])
      cpSync(join(PROJECT, file), join(folder, file));
    putCommandLine();
    env = engineEnvironment({
      endpoint: aws.endpoint,
      backend: await makeStateBucket(aws.moto.endpoint, "state"),
      home: join(folder, "home"),
      path: [AWS_PLUGIN],
      env: { PULUMI_NODEJS_TRANSPILE_ONLY: "true" },
    });
    ssm = new SSMClient({
      endpoint: aws.moto.endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    setConfig({});
    const made = await runCommand("pulumi", ["stack", "init", "prod", "--non-interactive"], { cwd: folder, env });
    assert.equal(made.code, 0, made.text);
  });
  afterEach(() => {
    ssm.destroy();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Puts the package's command line where `npm ci` puts it. */
  function putCommandLine(): void {
    const bin = join(folder, "node_modules/.bin");
    mkdirSync(bin, { recursive: true });
    const file = join(bin, "pulumi-iam-rotation");
    writeFileSync(file, `#!/bin/sh\nexec node "${join(ROOT, "provider/dist/cli/main.js")}" "$@"\n`);
    chmodSync(file, 0o755);
  }

  function setConfig(config: Readonly<Record<string, string>>): void {
    const limits = { lagSeconds: 0, verifySpacingSeconds: 0.01 };
    const values = Object.entries({ "iam-rotation:limits": limits, ...config });
    const lines = values.map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`);
    writeFileSync(join(folder, "Pulumi.prod.yaml"), ["config:", ...lines, ""].join("\n"));
  }

  /** One run of the workflow; what its installation would bring is there already. */
  async function run(): Promise<{ up: Command; sumUp: Command; summary: string }> {
    const { ran, summary } = await runSteps(
      steps.filter(({ name }) => name !== "Install"),
      { cwd: folder, env },
    );
    const { "Rotate what is due": up, "Sum up": sumUp } = ran;
    assert.ok(up && sumUp, `ran only ${Object.keys(ran).join(", ")}`);
    return { up, sumUp, summary };
  }

  async function published(user: string): Promise<Credential> {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: `/keys/${user}`, WithDecryption: true }));
    const pair = JSON.parse(Parameter?.Value ?? "{}") as Record<string, string>;
    return { accessKeyId: pair["AWS_ACCESS_KEY_ID"] ?? "", secretAccessKey: pair["AWS_SECRET_ACCESS_KEY"] ?? "" };
  }

  it("rotate what is due and say so; one that fails holds back no other, and fails the job", async function () {
    this.timeout(300_000);
    const first = await run();
    assert.deepEqual([first.up.code, first.sumUp.code], [0, 0], first.up.text + first.sumUp.text);
    const keys = await Promise.all(USERS.map(published));
    for (const [index, user] of USERS.entries()) {
      assert.equal(await aws.iam.keyWorks(user, keys[index]!), true);
      assert.ok(first.summary.includes(keys[index]!.accessKeyId), first.summary);
    }
    const readme = await readPage("examples/github-actions/README.md");
    for (const block of readme.blocks.filter(isShownBy("test/engine/githubActions.test.ts")))
      assertShown(block, readme, first.summary);

    // A key that nobody knows takes the slot that a rotation needs.
    await aws.iam.addKey("deploy-bot");
    setConfig({ "iam-rotation:asOf": daysOn(31, 1).toISOString() });
    const second = await run();
    const rotated = await published("mail-bot");

    assert.notEqual(second.up.code, 0);
    assert.equal(second.sumUp.code, 2);
    assert.match(second.summary, /1 needs attention/);
    assert.deepEqual(await published("deploy-bot"), keys[0]);
    assert.notEqual(rotated.accessKeyId, keys[1]?.accessKeyId);
    assert.equal(await aws.iam.keyWorks("mail-bot", rotated), true);
    assert.ok(second.summary.includes(rotated.accessKeyId), second.summary);
    for (const { secretAccessKey } of [...keys, rotated])
      for (const text of [first.up.text, first.summary, second.up.text, second.summary])
        assert.ok(!text.includes(secretAccessKey), "a secret was printed");

    const destroy = ["destroy", "--stack", "prod", "--yes", "--skip-preview", "--non-interactive"];
    const destroyed = await runCommand("pulumi", destroy, { cwd: folder, env });
    assert.equal(destroyed.code, 0, destroyed.text);
    assert.deepEqual(await aws.iam.keyIds("mail-bot"), []);
    assert.equal((await aws.iam.keyIds("deploy-bot")).length, 1);
  });
});
