import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { isProgram, PREAMBLE, programOf } from "../support/guide";
import { allPages, ROOT } from "../support/markdown";

/** Not on any page: the compiler must find fault with it, or it would find none at all. */
const WRONG = "wrong.ts";

describe("the programs on the pages", () => {
  let folder: string;
  let programs: string[];
  let errors: string[];

  // All of them in one go: most of the time goes into the AWS package's types.
  before(async () => {
    mkdirSync(join(ROOT, ".cache"), { recursive: true });
    // In the clone, so that the packages are found.
    folder = mkdtempSync(join(ROOT, ".cache/docs-"));
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    programs = [];
    for (const { path, blocks } of await allPages()) {
      for (const block of blocks.filter(isProgram)) {
        // The name says where it stands.
        const name = `${path.replace(/\.md$/, "").replaceAll("/", "_")}_line_${block.line}.ts`;
        programs.push(name);
        write(name, programOf(block));
      }
    }
    write(WRONG, `${PREAMBLE}new AwsIamUserSecretRotation("ci-bot", { ...inputs, rotateEvery: 30 });`);
    const compilerOptions = { types: ["node"], incremental: false };
    write("tsconfig.json", JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"] }));
    errors = (await tsc(folder)).split("\n").filter((line) => line !== "");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("compile against the package", () => {
    assert.ok(programs.length > 0, "there are programs on the pages");
    assert.deepEqual(
      errors.filter((line) => !line.startsWith(WRONG)),
      [],
    );
  });

  it("would be found out if they gave an input that does not exist", () => {
    assert.match(errors.filter((line) => line.startsWith(WRONG)).join("\n"), /'rotateEvery' does not exist/);
  });
});

/** What the compiler prints about a project. */
async function tsc(project: string): Promise<string> {
  try {
    const args = [require.resolve("typescript/bin/tsc"), "--project", project, "--pretty", "false"];
    return (await promisify(execFile)(process.execPath, args, { cwd: project })).stdout;
  } catch (error) {
    return (error as { stdout?: string }).stdout || String(error);
  }
}
