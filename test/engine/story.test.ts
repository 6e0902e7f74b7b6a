import assert from "node:assert/strict";
import { join } from "node:path";

import { runCommand } from "../support/command";
import { assertShown, isShownBy } from "../support/guide";
import { readPage, ROOT } from "../support/markdown";
import { describeEngine } from "../support/stack";

/** Without how long each chapter took. */
const timeless = (text: string) => text.replace(/[\d.]+ │$/gm, "│");

describeEngine("npm start", () => {
  it("ends well, each chapter with what the README shows, and leaves nothing running", async () => {
    const story = join(ROOT, "scripts/quickstart/story.mjs");
    const { code, text } = await runCommand(process.execPath, [story], {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: "1" },
    });
    assert.equal(code, 0, text);
    const page = await readPage("README.md");
    const block = page.blocks.find(isShownBy("test/engine/story.test.ts"));
    assert.ok(block);
    assertShown({ ...block, text: timeless(block.text) }, page, timeless(text));
  }).timeout(300_000);
});
