import assert from "node:assert/strict";

import { type CliRun, exported, exportOf, FakeCli } from "../support/fakeCli";
import { FakeStack, program } from "../support/fakeStack";
import { assertShown, isShownBy } from "../support/guide";
import { readPage } from "../support/markdown";
import { NEVER } from "../support/runs";

interface Printed {
  readonly at: string;
  readonly needAttention: number;
  readonly rotations: readonly {
    readonly rotation: string;
    readonly stack: string;
    readonly userName: string | null;
    readonly key: { readonly accessKeyId: string; readonly ageDays: number } | null;
    readonly previousKey: { readonly accessKeyId: string; readonly fate: string } | null;
    readonly otherKeys: readonly { readonly accessKeyId: string; readonly fate: string }[];
    readonly next: { readonly at: string | null; readonly isDue: boolean; readonly inWords: string };
    readonly last: { readonly status: string; readonly message: string | null };
    readonly attention: readonly { readonly kind: string; readonly text: string }[];
    readonly check?: readonly { readonly question: string; readonly isGood: boolean; readonly answer: string }[];
  }[];
}

/** A command line beside a stack that was brought up once, with the given arguments. */
async function brought(changes: Parameters<typeof program>[0] = {}): Promise<{ cli: FakeCli; stack: FakeStack }> {
  const stack = new FakeStack();
  await stack.up(program(changes));
  return { stack, cli: new FakeCli(stack) };
}

/** `status` of the stack as it is now. */
function statusOf({ cli, stack }: { cli: FakeCli; stack: FakeStack }, ...args: string[]): Promise<CliRun> {
  cli.stacks.set("", exportOf([exported(stack)]));
  return cli.run("status", ...args);
}

async function printedOf(setting: { cli: FakeCli; stack: FakeStack }, ...args: string[]) {
  const { code, out } = await statusOf(setting, "--json", ...args);
  const printed = JSON.parse(out) as Printed;
  const [first] = printed.rotations;
  assert.ok(first);
  return { code, printed, first };
}

const kinds = ({ attention }: Printed["rotations"][number]) => attention.map(({ kind }) => kind);

describe("pulumi-iam-rotation status", () => {
  it("shows user, key, age, next rotation, previous key and last result as a table, and ends with 0", async () => {
    const setting = await brought({ previousKey: { deactivateAfterHours: 72 } });
    setting.stack.clock.advance({ days: 3 });
    await setting.stack.up(program({ previousKey: { deactivateAfterHours: 72 }, rotationTrigger: "one" }));
    setting.stack.clock.advance({ days: 2, hours: 1 });

    const { code, out, err } = await statusOf(setting);

    assert.equal(err, "");
    assert.equal(
      out,
      [
        "Rotation     Key         Next rotation         Previous key                       Last result",
        "─".repeat(95),
        "ci-bot       AKIA0002    in 28 days            AKIA0001                           success",
        "user ci-bot  2 days old  2027-02-13 00:00 UTC  active until 2027-01-16 08:30 UTC  2 days ago",
        "",
        "1 rotation: nothing is due, nothing failed.",
        "",
      ].join("\n"),
    );
    assert.equal(code, 0);
  });

  it("shows several rotations as the README does", async () => {
    const rotation = async (userName: string, rotationInterval: number) => {
      const stack = new FakeStack();
      stack.aws.addUser(userName);
      stack.clock.set("2026-09-08T23:09:00.000Z");
      const previousKey = { deactivateAfterHours: 48 };
      const parameters = { userName, region: "us-east-1" };
      const rotateAtUtc = { hours: 3, minutes: 0 };
      const given = program({ name: userName, rotationInterval, previousKey, parameters, rotateAtUtc });
      await stack.up(given);
      return { stack, given };
    };
    const overdue = await rotation("ses-smtp", 60);
    const rotated = await rotation("ci-bot", 30);
    const later = await rotation("billing-export", 180);
    rotated.stack.clock.set("2026-11-21T23:09:00.000Z");
    await rotated.stack.up(rotated.given);
    later.stack.clock.set("2026-11-22T23:10:00.000Z");
    const cli = new FakeCli(later.stack);
    const resources = [overdue, rotated, later].map(({ stack, given }) => exported(stack, String(given["name"])));
    // Ids as long as AWS's, so that the columns are as wide.
    cli.stacks.set(
      "",
      exportOf(resources).replace(/AKIA000(\d)/g, (_, digit) => `AKIARZPUZDIKFZPTYF2${"ABC"[Number(digit)]}`),
    );

    const { code, out } = await cli.run("status");

    assert.equal(code, 2);
    const readme = await readPage("README.md");
    const shown = readme.blocks.filter(isShownBy("test/unit/cliStatus.test.ts"));
    assert.equal(shown.length, 1);
    for (const block of shown) assertShown(block, readme, out);
  });

  it("ends with 2 from the moment on at which a rotation is due, and says since when", async () => {
    const setting = await brought();
    setting.stack.clock.set("2027-02-09T23:59:59.999Z");
    assert.equal((await statusOf(setting)).code, 0);
    setting.stack.clock.set("2027-02-10T00:00:00.000Z");
    assert.equal((await printedOf(setting)).first.next.inWords, "due now");
    setting.stack.clock.set("2027-02-13T06:00:00.000Z");

    const { code, out } = await statusOf(setting);

    assert.equal(code, 2);
    assert.match(out, /overdue by 3 days/);
    assert.match(out, /1 rotation, 1 needs attention:\n- ci-bot: a rotation is due since 2027-02-10 00:00 UTC: run/);
  });

  it("ends with 2 after a rotation that failed, and repeats what state says of it", async () => {
    const setting = await brought();
    setting.stack.clock.advance({ days: 2 });
    setting.stack.aws.passes.push(...NEVER);
    await setting.stack.up(program({ rotationTrigger: "one" }));

    const { code, first } = await printedOf(setting);

    assert.equal(code, 2);
    assert.deepEqual(kinds(first), ["failed"]);
    assert.equal(first.attention[0]?.text, setting.stack.state.lastRotationMessage);
    assert.equal(first.key?.accessKeyId, "AKIA0001");
    assert.deepEqual(
      first.otherKeys.map(({ accessKeyId, fate }) => `${accessKeyId} ${fate}`),
      ["AKIA0002 made, not given out yet"],
    );
    assert.match((await statusOf(setting)).out, /failed\n/);
  });

  it("says paused where automatic rotation is off, and never that it is due", async () => {
    const setting = await brought({ isAutoRotationEnabled: false });
    setting.stack.clock.advance({ days: 400 });
    const { code, first } = await printedOf(setting);
    assert.deepEqual([code, first.next.inWords, first.key?.ageDays], [0, "paused", 400]);
  });

  it("tells drift that a refresh found, and a creation that has no key yet", async () => {
    const drifted = await brought();
    drifted.stack.aws.key("AKIA0001").status = "Inactive";
    await drifted.stack.refresh();
    assert.deepEqual(kinds((await printedOf(drifted)).first), ["drift"]);

    const stack = new FakeStack();
    stack.aws.passes.push(...NEVER);
    await stack.up();
    const { code, first } = await printedOf({ stack, cli: new FakeCli(stack) });
    assert.deepEqual([code, kinds(first), first.key], [2, ["noKey", "failed"], null]);
  });

  it("tells each fate of a previous key: until when it is active, that a run is late, held back, Inactive", async () => {
    const given = program({ previousKey: { deactivateAfterHours: 48 }, rotationTrigger: "one" });
    const setting = await brought({ previousKey: { deactivateAfterHours: 48 } });
    await setting.stack.up(given);
    const fate = async () => {
      const { code, first } = await printedOf(setting);
      return [code, first.previousKey?.fate, ...kinds(first)];
    };
    setting.stack.aws.key("AKIA0001").lastUse = {
      at: setting.stack.clock.from({ hours: 48 }),
      service: "s3",
      region: "us-east-1",
    };
    assert.deepEqual(await fate(), [0, "active until 2027-01-12 08:30 UTC"]);
    setting.stack.clock.advance({ hours: 49 });
    assert.deepEqual(await fate(), [2, "active: Inactive with the next run", "overlapOver"]);
    await setting.stack.up(given);
    assert.deepEqual(await fate(), [0, "active: held back, it counts as in use"]);
    setting.stack.clock.advance({ hours: 48 });
    await setting.stack.up(given);
    assert.deepEqual(await fate(), [0, "Inactive, deleted when its slot is needed"]);

    const forever = await brought();
    await forever.stack.up(program({ rotationTrigger: "one" }));
    assert.equal((await printedOf(forever)).first.previousKey?.fate, "active until the next rotation");
  });

  it("reads several stacks, says where each rotation is, and puts those first that need somebody", async () => {
    const { cli, stack } = await brought();
    const late = new FakeStack();
    await late.up(program({ rotationInterval: 5 }));
    stack.clock.advance({ days: 10 });
    cli.stacks.set("dev", exportOf([exported(stack, "early", "dev")]));
    cli.stacks.set("prod", exportOf([exported(late, "late", "prod")]));

    const { code, out } = await cli.run("status", "--stack", "dev", "-s", "prod");

    assert.equal(code, 2);
    assert.ok(out.indexOf("late") < out.indexOf("early"), out);
    assert.match(out, /in platform\/prod/);
    assert.match(out, /2 rotations, 1 needs attention/);
    assert.deepEqual(cli.asked, ["stack export", "stack export"]);
  });

  it("reads exported states from files and standard input, and asks no engine then", async () => {
    const { cli, stack } = await brought();
    cli.files.set("-", exportOf([exported(stack, "one")]));
    cli.files.set("state.json", exportOf([exported(stack, "two")]));
    const { code, out } = await cli.run("status", "--file", "-", "--file", "state.json", "--json");
    assert.equal(code, 0);
    assert.deepEqual((JSON.parse(out) as Printed).rotations.map(({ rotation }) => rotation).sort(), ["one", "two"]);
    assert.deepEqual(cli.asked, []);
  });

  it("says that there is no rotation where there is none, and ends with 0", async () => {
    const cli = new FakeCli();
    cli.stacks.set("", JSON.stringify({ version: 3, deployment: {} }));
    assert.deepEqual(await cli.run("status"), { code: 0, out: "No rotation is in this state.\n", err: "" });
  });

  it("tells a creation that was killed, a resource that a replacement left, and a state of another version", async () => {
    const { cli, stack } = await brought();
    const resource = exported(stack);
    const urn = (name: string) => resource.urn.replace(/::ci-bot$/, `::${name}`);
    cli.stacks.set(
      "",
      exportOf(
        [
          { ...resource, urn: urn("replaced"), delete: true },
          { ...resource, urn: urn("foreign"), outputs: { keys: "what is this" } },
        ],
        [{ type: "creating", resource: { ...resource, urn: urn("killed"), id: "", outputs: {} } }],
      ),
    );
    const { code, out } = await cli.run("status", "--json");
    const { rotations } = JSON.parse(out) as Printed;
    const problems = rotations.map(({ rotation, attention }) => `${rotation}: ${attention[0]?.text}`).sort();
    assert.equal(code, 2);
    assert.match(problems[0] ?? "", /^foreign: state is not as this version writes it: .*keys/);
    assert.equal(problems[1], "killed: a run was killed while creating it: run `pulumi up` again");
    assert.equal(problems[2], "replaced: was replaced, and is to be deleted by the next run");
  });

  it("takes the user's name from the arn where a program made the parameters secret", async () => {
    const { cli, stack } = await brought();
    const resource = exported(stack);
    const parameters = resource.outputs["secrets"];
    cli.stacks.set("", exportOf([{ ...resource, outputs: { ...resource.outputs, parameters } }]));
    const { code, out } = await cli.run("status", "--json");
    assert.deepEqual([code, (JSON.parse(out) as Printed).rotations[0]?.userName], [0, "ci-bot"]);
  });

  it("sends nothing to the terminal that would steer it, whatever stands in state", async () => {
    const { cli, stack } = await brought();
    const resource = exported(stack);
    const outputs = {
      ...resource.outputs,
      rotationStatus: "failed",
      lastRotationMessage: "\u001b[2Jgone\u001b]0;title\u0007",
    };
    cli.stacks.set("", exportOf([{ ...resource, outputs }]));
    const { out } = await cli.run("status");
    assert.ok(out.includes("gone"));
    assert.ok(!out.includes("\u001b"));
  });

  it("never prints a secret, encrypted or plain, also of a state that was exported with --show-secrets", async () => {
    const { cli, stack } = await brought();
    const resource = exported(stack);
    const outputs = { ...resource.outputs, ...stack.state };
    cli.files.set("plain.json", exportOf([{ ...resource, outputs }, exported(stack, "sealed")]));
    for (const args of [["status"], ["status", "--json"]]) {
      const { code, out, err } = await cli.run(...args, "--file", "plain.json");
      assert.equal(code, 0);
      for (const secret of [...stack.aws.secrets, "v1:sealed"]) assert.ok(!(out + err).includes(secret));
    }
    assert.equal(stack.aws.secrets.length, 1);
  });
});

describe("pulumi-iam-rotation, when it cannot", () => {
  it("ends with 1 and the engine's own words where there is no such stack", async () => {
    const { code, out, err } = await new FakeCli().run("status", "--stack", "nope");
    assert.deepEqual([code, out], [1, ""]);
    assert.match(
      err,
      /`pulumi stack export --stack nope --non-interactive` in .* failed: error: no stack named 'nope'/,
    );
    assert.match(err, /Next: .*--cwd.*--stack/);
  });

  it("prints the error as the API's error body with --json", async () => {
    const { code, err } = await new FakeCli().run("status", "--json");
    const body = JSON.parse(err) as { statusCode: number; message: string; error: string };
    assert.deepEqual([code, body.statusCode, body.error], [1, 500, "InternalServerError"]);
  });

  it("ends with 1 for a file that is missing, that is no exported state, and for contradicting options", async () => {
    const cli = new FakeCli();
    cli.files.set("list.json", "[1]");
    cli.files.set("text", "resources:");
    const fails = async (...args: string[]) => {
      const { code, err } = await cli.run("status", ...args);
      assert.equal(code, 1, args.join(" "));
      return err;
    };
    assert.match(await fails("--file", "nope"), /nope cannot be read/);
    assert.match(await fails("--file", "list.json"), /list.json is not what `pulumi stack export` prints/);
    assert.match(await fails("--file", "text"), /text is not what `pulumi stack export` prints/);
    assert.match(await fails("--file", "text", "--stack", "dev"), /--stack and --file cannot be given together/);
    assert.match(await fails("--file", "text", "--check"), /--check needs the connections in the stack's config/);
  });

  it("ends with 1 for an unknown command or option, and names the nearest one", async () => {
    const cli = new FakeCli();
    const command = await cli.run("stats");
    assert.deepEqual([command.code, /Did you mean status\?/.test(command.err)], [1, true]);
    const option = await cli.run("status", "--jsn");
    assert.deepEqual([option.code, /Did you mean --json\?/.test(option.err)], [1, true]);
  });

  it("ends with 0 for --help and --version, with examples and the exit codes", async () => {
    const cli = new FakeCli();
    assert.deepEqual(await cli.run("--version"), { code: 0, out: "1.2.3\n", err: "" });
    const { code, out } = await cli.run("status", "--help");
    assert.equal(code, 0);
    assert.match(out, /Examples:\n +\$ npx pulumi-iam-rotation status\n/);
    assert.match(out, /Exit codes:\n +0 .*\n +1 .*\n +2 /);
  });
});
