// `npm run lint`: types, rules and format. All of them run, so that one run tells everything.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "./setup/children.mjs";
import { root } from "./setup/places.mjs";
import { environment, main, setUp } from "./setup.mjs";

await main(async () => {
  const tools = await setUp({ only: "packages" });
  const env = { ...environment(tools), FORCE_COLOR: process.stdout.isTTY ? "1" : "0" };
  const examples = readdirSync(join(root, "examples")).map((name) => `examples/${name}/tsconfig.json`);
  const projects = ["tsconfig.json", ...examples.filter((file) => existsSync(join(root, file)))];
  const checks = [
    ["eslint", "--max-warnings", "0", "."],
    ...projects.map((project) => ["tsc", "--noEmit", "--project", project]),
    ["prettier", "--check", "--log-level", "warn", "."],
  ];
  let failed = false;
  const check = async ([tool, ...args]) => {
    const started = Date.now();
    const { code, output } = await run(join(root, "node_modules/.bin", tool), args, { cwd: root, env });
    const verdict = code === 0 ? "ok" : "FAILED";
    console.log(`${verdict}: ${tool} ${args.join(" ")} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    if (code !== 0) console.log(`${output}\n`);
    failed ||= code !== 0;
  };
  // Two at a time: the slowest one first, beside all the others.
  const worker = async () => {
    for (let next = checks.shift(); next; next = checks.shift()) await check(next);
  };
  await Promise.all([worker(), worker()]);
  return failed ? 1 : 0;
});
