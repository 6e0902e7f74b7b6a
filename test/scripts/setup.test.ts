import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { runCommand } from "../support/command";
import { ROOT } from "../support/markdown";

describe("set-up", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "iam-rotation-setup-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  describe("its lock between processes", () => {
    const lock = pathToFileURL(join(ROOT, "scripts/setup/lock.mjs")).href;
    const file = () => join(folder, "lock");
    const told = () => join(folder, "told");

    /** A process that notes when it has the lock, and when it gives it back. */
    const holder = (name: string, work: string) => [
      "--input-type=module",
      "--eval",
      `import { appendFileSync } from "node:fs";
       import { setTimeout as sleep } from "node:timers/promises";
       import { withLock } from ${JSON.stringify(lock)};
       await withLock(${JSON.stringify(file())}, async () => {
         appendFileSync(${JSON.stringify(told())}, "${name} has it\\n");
         ${work}
         appendFileSync(${JSON.stringify(told())}, "${name} gives it back\\n");
       });`,
    ];

    it("lets one in at a time, however many come at once", async () => {
      const names = ["a", "b", "c", "d"];
      const runs = names.map((name) =>
        runCommand(process.execPath, holder(name, "await sleep(50);"), { cwd: folder, env: process.env }),
      );
      for (const { code, text } of await Promise.all(runs)) assert.equal(code, 0, text);
      const lines = readFileSync(told(), "utf8").trim().split("\n");
      assert.equal(lines.length, 2 * names.length);
      for (let index = 0; index < lines.length; index += 2) {
        assert.equal(lines[index + 1], lines[index]?.replace("has it", "gives it back"));
      }
    });

    it("goes to the next one when its owner was killed", async () => {
      const owner = spawn(process.execPath, holder("a", 'process.stdout.write("held"); await sleep(60_000);'), {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise((resolve) => owner.stdout.once("data", resolve));
      const ended = new Promise((resolve) => owner.once("exit", resolve));
      owner.kill("SIGKILL");
      await ended;
      const next = await runCommand(process.execPath, holder("b", ""), { cwd: folder, env: process.env });
      assert.equal(next.code, 0, next.text);
      assert.equal(readFileSync(told(), "utf8"), "a has it\nb has it\nb gives it back\n");
    });
  });

  describe("what the tests end with", () => {
    /** A run of mocha over two tests, one of which is skipped, with this repository's reporter. */
    async function report(env: NodeJS.ProcessEnv): Promise<string[]> {
      const spec = join(folder, "two.test.cjs");
      writeFileSync(spec, 'it("is well", () => {}); it.skip("is skipped");');
      const mocha = join(ROOT, "node_modules/mocha/bin/mocha.js");
      const args = [mocha, "--no-config", "--reporter", join(ROOT, "scripts/reporter.cjs"), spec];
      const { CI: _ci, PULUMI_ENGINE_MISSING: _missing, ...rest } = process.env;
      const { text } = await runCommand(process.execPath, args, { cwd: ROOT, env: { ...rest, ...env } });
      return text.trim().split("\n");
    }

    it("is one plain line with the counts", async () => {
      assert.equal((await report({})).at(-1), "1 passed, 0 failed, 1 skipped");
    });

    it("says before that why the engine's tests were skipped, and counts it as a failure in CI", async () => {
      const reason = "no engine: install one";
      const lines = await report({ PULUMI_ENGINE_MISSING: reason });
      assert.equal(lines.at(-1), "1 passed, 0 failed, 1 skipped");
      assert.ok(lines.includes("THE TESTS ON THE PULUMI ENGINE WERE SKIPPED: none was found."));
      assert.ok(lines.includes(reason));
      const inCi = await report({ PULUMI_ENGINE_MISSING: reason, CI: "true" });
      assert.equal(inCi.at(-1), "1 passed, 1 failed, 1 skipped");
    });
  });
});
