import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

import { assertShown, shownBy } from "../support/guide";
import { allPages, type Block, type Page, ROOT } from "../support/markdown";

describe("what the pages show", () => {
  let shown: { page: Page; block: Block }[];
  before(async () => {
    const pages = await allPages();
    shown = pages.flatMap((page) =>
      page.blocks.filter(({ language }) => language === "text").map((block) => ({ page, block })),
    );
  });

  it("is either a picture, or output that some test makes and compares", () => {
    const untied = shown
      .filter(({ block }) => !block.marks.includes("picture"))
      .filter(({ page, block }) => {
        const file = shownBy(block);
        if (file === undefined || !existsSync(join(ROOT, file))) return true;
        // A test names the page that it compares with.
        const test = readFileSync(join(ROOT, file), "utf8");
        return ![page.path, `guide("${basename(page.path, ".md")}")`].some((name) => test.includes(name));
      })
      .map(({ page, block }) => `${page.path}:${block.line}`);
    assert.deepEqual(untied, [], 'write "picture" or "shown-by=FILE" after "text"');
  });

  it("is written in a language that says what it is", async () => {
    const pages = await allPages();
    const nameless = pages.flatMap(({ path, blocks }) =>
      blocks.filter(({ language }) => language === "").map(({ line }) => `${path}:${line}`),
    );
    assert.deepEqual(nameless, []);
  });

  it("is JSON where it says so", async () => {
    for (const { path, blocks } of await allPages()) {
      for (const { language, text, line } of blocks) {
        if (language === "json") assert.doesNotThrow(() => JSON.parse(text) as unknown, `${path}:${line}`);
      }
    }
  });
});

describe("comparing with what a page shows", () => {
  const page = { path: "page.md" };
  const block = (text: string): Block => ({ language: "text", marks: [], text, line: 1, section: "" });

  it("passes over ids, times, space and lines that are left out", () => {
    assertShown(
      block("~ key  : AKIAIOSFODNN7EXAMPLE\nmade at 2026-01-02T03:04:05Z in 3s"),
      page,
      "before\n  ~ key: AKIAABCDEFGHIJKLMNOP\nbetween\n  made at 2027-02-03T04:05:06.789Z in 12s\nafter",
    );
  });

  it("finds a line that was not printed, and lines in another order, and says where they stand", () => {
    assert.throws(() => assertShown(block("one\nthree"), page, "one\ntwo"), /page\.md:3 shows "three"/);
    assert.throws(() => assertShown(block("two\none"), page, "one\ntwo"), /page\.md:3 shows "one"/);
  });
});
