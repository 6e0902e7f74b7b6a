import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { allPages, type Page, readPage, ROOT, targetOf } from "../support/markdown";

const isElsewhere = (target: string) => /^[a-z]+:/.test(target);

describe("the links of the pages", () => {
  let pages: Page[];
  before(async () => {
    pages = await allPages();
  });

  it("lead to files that exist, and to headings that these have", async () => {
    const broken: string[] = [];
    for (const page of pages) {
      for (const link of page.links.filter(({ target }) => !isElsewhere(target))) {
        const { path, anchor } = targetOf(page, link);
        if (!existsSync(join(ROOT, path))) broken.push(`${page.path}: ${link.target}: there is no ${path}`);
        else if (anchor !== undefined) {
          const { anchors } = path === page.path ? page : await readPage(path);
          if (!anchors.includes(anchor)) broken.push(`${page.path}: ${link.target}: ${path} has no such heading`);
        }
      }
    }
    assert.deepEqual(broken, []);
  });

  it("to other sites are https", () => {
    const plain = pages.flatMap(({ path, links }) =>
      links
        .filter(({ target }) => isElsewhere(target) && !target.startsWith("https:"))
        .map(({ target }) => [path, target]),
    );
    assert.deepEqual(plain, []);
  });

  it("lead from the README to every page in docs", () => {
    const known = new Map(pages.map((page) => [page.path, page]));
    const reached = new Set<string>();
    const open = ["README.md"];
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      const page = known.get(path);
      if (!page || reached.has(path)) continue;
      reached.add(path);
      open.push(...page.links.filter(({ target }) => !isElsewhere(target)).map((link) => targetOf(page, link).path));
    }
    const lost = pages.map(({ path }) => path).filter((path) => path.startsWith("docs/") && !reached.has(path));
    assert.deepEqual(lost, []);
  });
});
