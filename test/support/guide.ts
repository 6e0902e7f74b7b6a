import assert from "node:assert/strict";

import { type Block, type Page, readPage } from "./markdown";
import type { TestStack } from "./stack";

/**
 * What stands before a program of a page that imports nothing: such a program shows only what changes, and calls the
 * rest `inputs`.
 */
export const PREAMBLE = `import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AMBIENT_CONNECTION_ID, AwsIamUserSecretRotation } from "pulumi-iam-rotation";
const inputs = {
  projectId: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
  connectionId: AMBIENT_CONNECTION_ID,
  environment: "prod",
  secretPath: "/ci",
  rotationInterval: 30,
  parameters: { userName: "ci-bot" },
  secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
};
`;

/** Whether a block of a page is a program. */
export function isProgram({ language }: Block): boolean {
  return language === "ts" || language === "typescript";
}

/** A block as a whole program. */
export function programOf({ text }: Block): string {
  return /^import /m.test(text) ? text : `${PREAMBLE}${text}`;
}

/** What differs between two runs of one command: key ids, ids, instants, dates, durations, the length of a rule. */
const VOLATILE: readonly [RegExp, string][] = [
  [/\bA(KIA|IDA|ROA)[A-Z2-7]{12,}\b/g, "A$1..."],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, "UUID"],
  [/\b\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z)?/g, "DATE"],
  [/\b\d+(\.\d+)? ?m?s\b/g, "DURATION"],
  [/─+/g, "─"],
];

/**
 * Asserts that a page shows what was printed: every line of the block stands in the text, in this order. Lines may be
 * left out; key ids, ids, times and the space around a line do not count.
 */
export function assertShown(block: Block, page: Pick<Page, "path">, printed: string): void {
  const masked = (text: string) => {
    const plain = VOLATILE.reduce((masking, [pattern, word]) => masking.replace(pattern, word), text);
    return plain.split("\n").map((line) => line.trim().replace(/\s+/g, " ").replaceAll(" :", ":"));
  };
  const there = masked(printed);
  let from = 0;
  for (const [index, line] of masked(block.text).entries()) {
    if (line === "" || line === "...") continue;
    const at = there.indexOf(line, from);
    assert.ok(
      at >= 0,
      `${page.path}:${block.line + index + 1} shows "${line}", which was not printed here:\n${printed}`,
    );
    from = at + 1;
  }
}

const SHOWN_BY = "shown-by=";

/** The file of the test that makes the output which a block shows; undefined when the block names none. */
export function shownBy({ marks }: Block): string | undefined {
  return marks.find((mark) => mark.startsWith(SHOWN_BY))?.slice(SHOWN_BY.length);
}

/** Whether a block shows what this file's test makes. */
export function isShownBy(file: string): (block: Block) => boolean {
  return (block) => shownBy(block) === file;
}

/** A guide that is tried out on a stack: its programs are run, its commands typed, and what it shows compared. */
export class Guide {
  private constructor(
    private readonly page: Page,
    private readonly stack: TestStack,
  ) {}

  /** @param path From the clone's root. */
  static async open(path: string, stack: TestStack): Promise<Guide> {
    return new Guide(await readPage(path), stack);
  }

  /**
   * Does what stands under a heading, from top to bottom: a program takes the place of the one before, commands are
   * typed, and a `text` block must be what the commands before it have printed. They must succeed. A block marked
   * `no-run` is passed over: it names a key of the reader's.
   *
   * @returns What the commands printed.
   */
  async section(heading: string): Promise<string> {
    const blocks = this.page.blocks.filter(({ section, marks }) => section === heading && !marks.includes("no-run"));
    assert.ok(blocks.length > 0, `${this.page.path} has nothing to do under "${heading}"`);
    let printed = "";
    for (const block of blocks) {
      if (isProgram(block)) this.stack.write("index.ts", programOf(block));
      else if (block.language === "sh") printed += await this.stack.type(block.text);
      else if (block.language === "text") assertShown(block, this.page, printed);
    }
    return printed;
  }
}
