import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { DescribeParametersCommand, GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";

import { accounts } from "../../examples/fleet/accounts";
import { rotationId } from "../../provider/src/contract/ids";
import { type Command, runCommand } from "../support/command";
import { engineEnvironment } from "../support/engineEnvironment";
import { AWS_PLUGIN } from "../support/example";
import type { Effect } from "../support/faultLane";
import { type FaultProxy, startFaultProxy } from "../support/faultProxy";
import { isShownBy } from "../support/guide";
import { assumed, type Credential, Iam } from "../support/iam";
import { readPage } from "../support/markdown";
import { type Moto, sharedMoto } from "../support/moto";
import { daysOn } from "../support/rotation";
import { makeStateBucket } from "../support/stateBucket";
import { describeEngine } from "../support/stack";

const ROOT = join(__dirname, "../..");
const USERS = Object.values(accounts).flatMap(({ users }) => users);

describeEngine("the example fleet", () => {
  const folders: string[] = [];
  const people = new Map<string, Iam>();
  let moto: Moto;
  let proxy: FaultProxy;
  let ssm: SSMClient;
  let backend: string;

  before(async () => {
    moto = await sharedMoto();
    proxy = await startFaultProxy(moto.endpoint);
  });
  beforeEach(async () => {
    await moto.reset();
    backend = await makeStateBucket(moto.endpoint, "fleet-state");
    const client = { endpoint: moto.endpoint, region: "us-east-1" };
    ssm = new SSMClient({ ...client, credentials: { accessKeyId: "test", secretAccessKey: "test" } });
    for (const [account, { roleArn, users }] of Object.entries(accounts)) {
      const iam = new Iam(moto.endpoint, await assumed(moto.endpoint, roleArn));
      people.set(account, iam);
      for (const user of users) await iam.createUser(user);
    }
  });
  afterEach(() => {
    ssm.destroy();
    for (const iam of people.values()) iam.stop();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  after(() => proxy.stop());

  /** `npm start` in a fresh checkout, as each run of a scheduled job has it; more config for some accounts. */
  function npmStart(
    args: readonly string[] = [],
    config: Record<string, Record<string, string>> = {},
  ): Promise<Command> {
    const cache = join(ROOT, ".cache");
    mkdirSync(cache, { recursive: true });
    // In the clone, so that its packages are found.
    const folder = mkdtempSync(join(cache, "fleet-"));
    folders.push(folder);
    const project = join(ROOT, "examples/fleet");
    for (const file of readdirSync(project).filter((name) => !/^Pulumi\..*\.yaml$|^node_modules$/.test(name)))
      cpSync(join(project, file), join(folder, file));
    for (const account of Object.keys(accounts)) {
      // A call is held up for as long as another run takes.
      const limits = JSON.stringify({ lagSeconds: 0, verifySpacingSeconds: 0.01, callSeconds: 280 });
      const values = Object.entries({ "iam-rotation:limits": limits, ...config[account] });
      const lines = values.map(([key, value]) => `  ${key}: ${value}`);
      writeFileSync(join(folder, `Pulumi.${account}.yaml`), ["config:", ...lines, ""].join("\n"));
    }
    const env = { PULUMI_NODEJS_TRANSPILE_ONLY: "true", TS_NODE_TRANSPILE_ONLY: "true" };
    return runCommand("npm", ["start", "--silent", "--", ...args], {
      cwd: folder,
      env: engineEnvironment({
        endpoint: proxy.endpoint,
        backend,
        home: join(folder, "home"),
        path: [AWS_PLUGIN],
        env,
      }),
    });
  }

  /** The key that consumers of a user read. */
  async function published(account: string, user: string): Promise<Credential> {
    const Name = `/fleet/${account}/${user}`;
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
    const pair = JSON.parse(Parameter?.Value ?? "{}") as Record<string, string>;
    return { accessKeyId: pair["AWS_ACCESS_KEY_ID"] ?? "", secretAccessKey: pair["AWS_SECRET_ACCESS_KEY"] ?? "" };
  }

  /** How many keys each user has; the published one works. */
  async function keysOfAll(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const [account, { users }] of Object.entries(accounts)) {
      const iam = people.get(account)!;
      for (const user of users) {
        assert.equal(await iam.keyWorks(user, await published(account, user)), true, user);
        counts[user] = (await iam.keyIds(user)).length;
      }
    }
    return counts;
  }

  const everyone = (keys: number): Record<string, number> => Object.fromEntries(USERS.map((user) => [user, keys]));

  /** The row of an account in the summary: result, users, rotated, next. */
  function rowOf({ text }: Command, account: string): string[] {
    const line = text.split("\n").find((one) => one.includes(`│ '${account}'`));
    assert.ok(line, text);
    return line
      .split("│")
      .slice(3, -1)
      .map((cell) => cell.trim().replaceAll("'", ""));
  }

  it("gives each user of each account a key, rotates where it is due, and takes all of them away in the end", async function () {
    this.timeout(300_000);
    const first = await npmStart();
    assert.equal(first.code, 0, first.text);
    assert.deepEqual(await keysOfAll(), everyone(1));
    const times = new Set<string>();
    for (const [account, { users }] of Object.entries(accounts)) {
      const [result, count, rotated, next] = rowOf(first, account);
      assert.deepEqual([result, count, rotated], ["ok", String(users.length), users.join(" ")]);
      times.add(String(next).slice(11));
    }
    assert.equal(times.size, Object.keys(accounts).length, "accounts rotate at the same time of day");

    const second = await npmStart([], { payments: { "iam-rotation:asOf": JSON.stringify(daysOn(33)) } });
    assert.equal(second.code, 0, second.text);
    const { payments } = accounts;
    assert.equal(rowOf(second, "payments")[2], payments?.users.join(" "));
    assert.equal(rowOf(second, "research")[2], "");
    const readme = await readPage("examples/fleet/README.md");
    const shown = readme.blocks.filter(isShownBy("test/engine/fleet.test.ts"));
    assert.equal(shown.length, 1);
    for (const { text } of shown) {
      for (const account of Object.keys(accounts)) {
        assert.deepEqual(rowOf({ code: 0, text }, account).slice(0, 3), rowOf(second, account).slice(0, 3));
      }
    }
    assert.deepEqual(await keysOfAll(), {
      ...everyone(1),
      ...Object.fromEntries((payments?.users ?? []).map((user) => [user, 2])),
    });

    const last = await npmStart(["destroy"]);
    assert.equal(last.code, 0, last.text);
    assert.deepEqual((await ssm.send(new DescribeParametersCommand({}))).Parameters, []);
    for (const [account, { users }] of Object.entries(accounts))
      for (const user of users) assert.deepEqual(await people.get(account)?.keyIds(user), [], user);
  });

  it("leaves an account alone that another run is at work on, says so, and goes on with the others", async function () {
    this.timeout(300_000);
    const owner = "organization/iam-rotation-fleet/payments/payments-ci";
    const lane = proxy.lane({ rotationId: rotationId(owner, "payments-ci"), userName: "payments-ci", seed: 0 });
    let second: Command | undefined;
    // The second run goes from end to end while the first one waits for a key.
    lane.watch({
      action: "CreateAccessKey",
      nth: 1,
      times: 1,
      when: "before",
      effect: async (): Promise<Effect> => {
        second = await npmStart();
        return "pass";
      },
    });

    const first = await npmStart();

    assert.equal(rowOf(first, "payments")[0], "ok", first.text);
    assert.equal(second?.code, 1);
    assert.equal(rowOf(second, "payments")[0], "locked", second.text);
    assert.deepEqual(await keysOfAll(), everyone(1));
  });
});
