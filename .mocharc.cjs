const { existsSync } = require("node:fs");

// Hooks for all tests, such as skipping those that need an engine where there is none.
const hooks = "./test/support/hooks.ts";

module.exports = {
  extension: ["ts"],
  // Transpiling only, for speed: `npm run lint` checks the types.
  require: ["ts-node/register/transpile-only", ...(existsSync(hooks) ? [hooks] : [])],
  reporter: "./scripts/reporter.cjs",
  timeout: 120_000,
};
