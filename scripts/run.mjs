// Runs a TypeScript program of this repository after set-up, with the tools on PATH: `node scripts/run.mjs FILE [ARGS]`.
import { ended, start } from "./setup/children.mjs";
import { root } from "./setup/places.mjs";
import { environment, main, setUp } from "./setup.mjs";

await main(async () => {
  const tools = await setUp();
  const args = ["--require", "ts-node/register/transpile-only", ...process.argv.slice(2)];
  return ended(start(tools.node.path, args, { cwd: root, env: environment(tools), stdio: "inherit" }));
});
