import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { tablesOf } from "../../bench/cost/markdown";
import { tablesIn } from "../../bench/cost/page";
import type { Results } from "../../bench/cost/results";

const ROOT = join(__dirname, "../..");
const read = (file: string) => readFileSync(join(ROOT, file), "utf8");

describe("The tables of what it costs", () => {
  it("are in the docs and beside the bench as its measurements give them, not a figure by hand", async () => {
    const tables = (await tablesOf(JSON.parse(read("bench/results.json")) as Results)).trim();
    assert.equal(tablesIn(read("docs/performance.md")), tables);
    assert.ok(read("bench/results.md").trim().endsWith(tables));
  });
});
