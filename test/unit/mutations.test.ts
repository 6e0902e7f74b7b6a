import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const ROOT = join(__dirname, "../..");

interface Mutation {
  readonly rule: string;
  readonly file: string;
  readonly find: string;
  readonly tests?: readonly string[];
}

describe("The list of the rules that can be broken", () => {
  let mutations: readonly Mutation[];
  before(async () => {
    const list = pathToFileURL(join(ROOT, "test/faults/mutations.mjs")).href;
    ({ MUTATIONS: mutations } = (await import(list)) as { MUTATIONS: readonly Mutation[] });
  });

  it("is about code that stands there, once each, and tests that exist", () => {
    for (const { rule, file, find, tests = [] } of mutations) {
      const source = readFileSync(join(ROOT, "provider/src", file), "utf8");
      assert.equal(source.split(find).length, 2, `${rule}: ${file} does not hold exactly once: ${find}`);
      for (const test of tests) assert.ok(existsSync(join(ROOT, test)), test);
    }
  });

  it("has a row of the table for each, none of which nothing catches", () => {
    const table = readFileSync(join(ROOT, "test/faults/mutations.md"), "utf8");
    const rows = table.split("\n").filter((line) => /^\| (?!broken rule|---)/.test(line));
    assert.deepEqual(
      rows.map((row) => row.split("|")[1]?.trim()),
      mutations.map(({ rule }) => rule),
    );
    assert.ok(!table.includes("**nothing**"));
  });
});
