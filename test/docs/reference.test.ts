import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import * as iamRotation from "pulumi-iam-rotation";

import { INPUT_NAMES, parseInputs } from "../../provider/src/contract/inputs";
import { type Page, readPage, ROOT } from "../support/markdown";
import { ARGS } from "../support/rotation";
import { errorNames, inputs, isValue, keyStates, outputs, REFERENCE, referencePage } from "./reference";

const GIVEN = { ...ARGS, name: "ci-bot", owner: "organization/project/dev/ci-bot" };

/** The failing paths of inputs with one property that cannot be right. */
function failuresWith(path: string): { path: string; reason: string }[] {
  const [outer = "", inner] = path.split(".");
  const before = (GIVEN as Record<string, unknown>)[outer];
  const value = inner === undefined ? Symbol() : { ...(before as object), [inner]: Symbol() };
  return parseInputs({ ...GIVEN, [outer]: value }).failures;
}

/** All that the provider is made of. */
function sourceText(): string {
  const folder = join(ROOT, "provider/src");
  const files = readdirSync(folder, { recursive: true }).map(String);
  return files
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");
}

describe("the reference", () => {
  let page: Page;
  before(async () => {
    page = await readPage(REFERENCE);
  });

  it("is what `npm run docs` makes of the code", async () => {
    assert.equal(page.text, await referencePage());
  });

  it("has every input that the provider takes, and none that it does not know", () => {
    const documented = inputs().map(({ path }) => path);
    assert.deepEqual(documented.filter((path) => !path.includes(".")).sort(), [...INPUT_NAMES].sort());
    for (const path of documented) {
      const reasons = failuresWith(path).filter(
        (failure) => failure.path === path || failure.path.startsWith(`${path}.`),
      );
      assert.ok(reasons.length > 0, `${path} is not looked at`);
      assert.ok(!reasons.some(({ reason }) => reason.includes("not a known property")), `${path} is not known`);
    }
  });

  it("has each of them in a table of the README, and each output", async () => {
    const { text } = await readPage("README.md");
    const tables = text
      .slice(text.indexOf("## Inputs and outputs"), text.indexOf("## On your own account"))
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .join("\n");
    const names = [...inputs().map(({ path }) => path), ...outputs().map(({ path }) => path)];
    const missing = names.filter((name) => !name.includes(".") && !tables.includes(`\`${name}\``));
    assert.deepEqual(missing, []);
  });

  it("says required of those, and only those, that the provider misses", () => {
    const missed = parseInputs({ owner: GIVEN.owner, name: GIVEN.name }).failures.map(({ path }) => path);
    const required = inputs().filter(({ path, isOptional }) => !isOptional && !path.includes("."));
    assert.deepEqual(required.map(({ path }) => path).sort(), missed.sort());
  });

  it("gives the defaults that the provider fills in", () => {
    const { inputs: filled } = parseInputs(GIVEN);
    for (const { path, byDefault } of inputs()) {
      if (byDefault === undefined || !isValue(byDefault)) continue;
      const value = path.split(".").reduce<unknown>((of, name) => (of as Record<string, unknown>)[name], filled);
      assert.equal(JSON.stringify(value), byDefault, path);
    }
  });

  it("describes every input, output and error", () => {
    const undescribed = [...inputs(), ...outputs()].filter(({ text }) => text === "").map(({ path }) => path);
    assert.deepEqual(undescribed, []);
  });

  it("names everything that a program can import", () => {
    const unnamed = Object.keys(iamRotation).filter((name) => !page.text.includes(name));
    assert.deepEqual(unnamed, []);
    assert.ok(errorNames().length > 0);
  });

  it("names every config key that the provider reads", () => {
    const read = sourceText().match(/iam-rotation:[a-z][a-zA-Z]*/g) ?? [];
    assert.deepEqual(
      [...new Set(read)].filter((key) => !page.text.includes(`\`${key}`)),
      [],
    );
  });
});

describe("the concepts", () => {
  it("explain every state that a key can be in, and no other", async () => {
    const { text } = await readPage("docs/concepts.md");
    const explained = [...text.matchAll(/^\| `(\w+)` /gm)].map((match) => `"${match[1]}"`);
    assert.deepEqual(explained.sort(), keyStates().sort());
  });
});
