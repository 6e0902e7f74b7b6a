// `npm test`: set-up, then mocha over test/. Arguments go to mocha: `npm test -- --grep rotation`, `npm test -- test/unit`.
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { ended, start } from "./setup/children.mjs";
import { root } from "./setup/places.mjs";
import { environment, main, setUp } from "./setup.mjs";

await main(async () => {
  const tools = await setUp();
  if (tools.engine.reason) banner(tools.engine.reason);
  const mocha = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
  const args = withSpec(process.argv.slice(2));
  const code = await ended(
    start(tools.node.path, [mocha, ...args], { cwd: root, env: environment(tools), stdio: "inherit" }),
  );
  // Elsewhere a missing engine is the machine's lack; in CI it would hide that the engine tests are never run.
  return code === 0 && tools.engine.reason && process.env.CI ? 1 : code;
});

/** All tests, unless the arguments name files or folders of them. */
function withSpec(args) {
  const inside = (arg) => /^(\.\/)?test(\/|$)/.test(arg);
  if (!args.some(inside)) return [...args, "test/**/*.test.ts"];
  const isFolder = (arg) => statSync(join(root, arg), { throwIfNoEntry: false })?.isDirectory();
  return args.map((arg) => (inside(arg) && isFolder(arg) ? `${arg}/**/*.test.ts` : arg));
}

/** The reporter repeats it at the end, before the closing line. */
function banner(reason) {
  const line = "=".repeat(100);
  console.log(`${line}\nTHE TESTS ON THE PULUMI ENGINE ARE SKIPPED\n${reason}\n${line}`);
}
