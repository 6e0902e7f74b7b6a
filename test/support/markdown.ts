import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import type { Token, Tokens } from "marked" with { "resolution-mode": "import" };

/** The root of the clone. */
export const ROOT = join(__dirname, "../..");

/** Where pages are looked for. What is below them and is no page of ours, such as node_modules, is passed over. */
const PLACES = [".", "docs", "examples", "test", "bench"];

/** A fenced block of code. */
export interface Block {
  /** The first word after the fence, `ts` for example; empty when there is none. */
  readonly language: string;
  /** The words after the language. */
  readonly marks: readonly string[];
  readonly text: string;
  /** The line of the fence in the page, counted from 1. */
  readonly line: number;
  /** The text of the heading that it stands under. */
  readonly section: string;
}

/** A link, as it is written. */
export interface Link {
  readonly target: string;
  readonly text: string;
}

/** A page of Markdown, taken apart. */
export interface Page {
  /** From the clone's root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly links: readonly Link[];
  /** The anchors of its headings, as GitHub makes them. */
  readonly anchors: readonly string[];
  /** Code inside of sentences and tables. */
  readonly inlineCode: readonly string[];
}

/** All pages of the repository, by their paths. */
export async function allPages(): Promise<Page[]> {
  return Promise.all(pagePaths().map((path) => readPage(path)));
}

/** Reads a page and takes it apart. */
export async function readPage(path: string): Promise<Page> {
  const [{ marked }, { default: GithubSlugger }] = await Promise.all([import("marked"), import("github-slugger")]);
  const text = readFileSync(join(ROOT, path), "utf8");
  const slugger = new GithubSlugger();
  const blocks: Block[] = [];
  const links: Link[] = [];
  const anchors: string[] = [];
  const inlineCode: string[] = [];
  let section = "";
  let searchedTo = 0;
  // Nothing in it waits, so there is nothing to wait for.
  void marked.walkTokens(marked.lexer(text), (token) => {
    if (isHeading(token)) {
      section = plainText(token);
      anchors.push(slugger.slug(section));
    } else if (isCode(token)) {
      const fence = token.raw.split("\n")[0] ?? "";
      const at = text.indexOf(fence, searchedTo);
      searchedTo = at + token.raw.length;
      const [language = "", ...marks] = (token.lang ?? "").split(/\s+/).filter(Boolean);
      blocks.push({ language, marks, text: token.text, line: text.slice(0, at).split("\n").length, section });
    } else if (token.type === "link" || token.type === "image") {
      links.push({ target: String((token as Tokens.Link).href), text: plainText(token) });
    } else if (token.type === "codespan") {
      inlineCode.push(String((token as Tokens.Codespan).text));
    }
  });
  return { path, text, blocks, links, anchors, inlineCode };
}

/** Where a relative link leads: the path from the root, and the anchor if there is one. */
export function targetOf(page: Page, link: Link): { readonly path: string; readonly anchor: string | undefined } {
  const [path = "", anchor] = link.target.split("#");
  return {
    path: path === "" ? page.path : join(dirname(page.path), decodeURI(path)).replace(/\/$/, ""),
    anchor,
  };
}

function pagePaths(): string[] {
  return PLACES.flatMap((place) => {
    const below = place === "." ? readdirSync(ROOT) : readdirSync(join(ROOT, place), { recursive: true });
    return below
      .map((name) => relative(ROOT, join(ROOT, place, String(name))).replaceAll("\\", "/"))
      .filter((path) => path.endsWith(".md") && !path.includes("node_modules/") && existsSync(join(ROOT, path)));
  })
    .filter((path) => statSync(join(ROOT, path)).isFile())
    .sort();
}

function isHeading(token: Token): token is Tokens.Heading {
  return token.type === "heading";
}

function isCode(token: Token): token is Tokens.Code {
  return token.type === "code";
}

/** What a reader sees of a token. */
function plainText(token: Token): string {
  if ("tokens" in token && token.tokens) return token.tokens.map(plainText).join("");
  return "text" in token ? String(token.text) : "";
}
