import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { allPages, ROOT } from "../support/markdown";
import { commandsOf, type Words } from "../support/shellWords";
import { describeEngine } from "../support/stack";

/** A command, and the page that names it. */
interface Named {
  readonly page: string;
  readonly words: Words;
}

/** Commands on all pages that begin with a word: in blocks of shell, and inside of sentences where they have more words. */
async function named(program: string): Promise<Named[]> {
  const pages = await allPages();
  return pages.flatMap(({ path, blocks, inlineCode }) => {
    const shell = blocks.filter(({ language }) => language === "sh").map(({ text }) => text);
    const inline = inlineCode.filter((text) => text.startsWith(`${program} `));
    return [...shell, ...inline]
      .flatMap(commandsOf)
      .filter((words) => words[0] === program)
      .map((words) => ({ page: path, words }));
  });
}

describe("the commands on the pages", () => {
  it("of npm run scripts that there are", async () => {
    const unknown = (await named("npm"))
      .map(({ page, words }) => ({ page, script: words[1] === "run" ? words[2] : words[1] }))
      .filter(
        ({ page, script = "" }) =>
          !["audit", "ci", "install", "pack"].includes(script) && !scriptsBeside(page).includes(script),
      );
    assert.deepEqual(unknown, []);
  });

  it("of node run files that there are", async () => {
    const unknown = (await named("node")).filter(({ words }) => !existsSync(join(ROOT, words[1] ?? "")));
    assert.deepEqual(unknown, []);
  });

  it("of npx pulumi-iam-rotation exist, with every flag that is given to them", async () => {
    const wrong: string[] = [];
    for (const { page, words } of await named("npx")) {
      const fault = await faultOfOwnCommand(words.slice(2));
      if (fault !== undefined) wrong.push(`${page}: ${words.join(" ")}: ${fault}`);
    }
    assert.deepEqual(wrong, []);
    assert.equal(await faultOfOwnCommand(["status", "--json"]), undefined);
    assert.match((await faultOfOwnCommand(["status", "--nothing"])) ?? "", /--nothing/);
  });

  it("of aws are calls of its API, with parameters of these", async () => {
    const wrong = (await named("aws")).flatMap(({ page, words }) =>
      faultsOfAwsCall(words).map((fault) => `${page}: ${words.join(" ")}: ${fault}`),
    );
    assert.deepEqual(wrong, []);
  });
});

/** The npm scripts of the project that a page is in, and those of the whole repository. */
function scriptsBeside(page: string): string[] {
  return [join(ROOT, dirname(page), "package.json"), join(ROOT, "package.json")]
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, "utf8")) as { scripts?: Record<string, string> })
    .flatMap(({ scripts = {} }) => Object.keys(scripts));
}

/** Looks into the help of the package's own command line. */
async function faultOfOwnCommand(words: Words): Promise<string | undefined> {
  const [command = ""] = words;
  const bin = join(ROOT, "provider/dist/cli/main.js");
  const { stdout } = await promisify(execFile)(process.execPath, [bin, command, "--help"]);
  if (!stdout.startsWith(`Usage: pulumi-iam-rotation ${command}`)) return `no such command: ${command}`;
  const unknown = words.filter((word) => word.startsWith("--") && !new RegExp(`${word}\\b`).test(stdout));
  return unknown.length === 0 ? undefined : `no such flag: ${unknown.join(" ")}`;
}

describeEngine("the commands of pulumi on the pages", () => {
  it("exist, with every flag that is given to them", async () => {
    const all = new Map((await named("pulumi")).map((one) => [one.words.join(" "), one]));
    assert.ok(all.size > 0, "there are commands of pulumi on the pages");
    const wrong: string[] = [];
    const open = [...all.values()];
    const worker = async () => {
      for (let one = open.pop(); one; one = open.pop()) {
        const fault = await faultOfPulumi(one.words.slice(1));
        if (fault !== undefined) wrong.push(`${one.page}: ${one.words.join(" ")}: ${fault}`);
      }
    };
    await Promise.all([worker(), worker()]);
    assert.deepEqual(wrong, []);
  });

  it("would be found out if there were no such command or flag", async () => {
    assert.match((await faultOfPulumi(["up", "--rotate-now"])) ?? "", /unknown flag/);
    assert.match((await faultOfPulumi(["stack", "rotate"])) ?? "", /no such command/);
  });
});

/** Lets the engine read a command without doing it. */
async function faultOfPulumi(words: Words): Promise<string | undefined> {
  const firstFlag = words.findIndex((word) => word.startsWith("-"));
  const names = firstFlag < 0 ? words : words.slice(0, firstFlag);
  let help: string;
  try {
    // Before the other flags: one that lacks its value would swallow it, and the command would be done.
    help = (await promisify(execFile)("pulumi", [...names, "--help", ...words.slice(names.length)])).stdout;
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() || String(error);
    // Sentences name a flag without its value.
    return said.includes("flag needs an argument") ? undefined : said;
  }
  // The help is that of the nearest command that there is: "  pulumi config set <key> [value] [flags]".
  const usage = /Usage:\s+pulumi (.*)/.exec(help)?.[1]?.split(" ") ?? [];
  const aliases = /Aliases:\s+(.*)/.exec(help)?.[1]?.split(", ") ?? [];
  const path = usage.slice(
    0,
    usage.findIndex((word) => /[^a-z-]/.test(word)),
  );
  const takesArguments = usage.some((word) => /^[[<]/.test(word) && !["[flags]", "[command]"].includes(word));
  const isNamed = path.every(
    (word, index) => names[index] === word || (index === path.length - 1 && aliases.includes(names[index] ?? "")),
  );
  return isNamed && (takesArguments || names.length <= path.length)
    ? undefined
    : `no such command; the nearest is pulumi ${path.join(" ")}`;
}

/** The clients whose calls can be looked up. */
const CLIENTS: Readonly<Record<string, string>> = {
  iam: "@aws-sdk/client-iam",
  sts: "@aws-sdk/client-sts",
  secretsmanager: "@aws-sdk/client-secrets-manager",
  ssm: "@aws-sdk/client-ssm",
};
const FLAGS_OF_ALL = ["Query", "Output", "Profile", "Region", "EndpointUrl"];

const pascal = (name: string) =>
  name.replace(/(^|-)([a-z])/g, (_all, _dash: string, letter: string) => letter.toUpperCase());

/** Looks a call up in the SDK: its commands are the CLI's, and the members of their inputs its flags. */
function faultsOfAwsCall([, service = "", call = "", ...rest]: Words): string[] {
  const client = CLIENTS[service];
  if (client === undefined) return [`the check does not know ${service}`];
  const types = join(ROOT, "node_modules", client, "dist-types");
  if (!existsSync(join(types, `commands/${pascal(call)}Command.d.ts`))) return [`there is no ${call}`];
  const models = readdirSync(join(types, "models")).filter((name) => name.startsWith("models_"));
  const declared = models.map((name) => readFileSync(join(types, "models", name), "utf8")).join("\n");
  const members = new RegExp(`interface ${pascal(call)}Request \\{(.*?)\\n\\}`, "s").exec(declared)?.[1] ?? "";
  return rest
    .filter((word) => word.startsWith("--"))
    .map((flag) => pascal(flag.slice(2)))
    .filter((name) => !FLAGS_OF_ALL.includes(name) && !new RegExp(`^\\s+${name}\\??:`, "m").test(members))
    .map((name) => `no parameter ${name}`);
}
