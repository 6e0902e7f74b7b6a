import type { RootHookObject } from "mocha";

import { stopSharedMoto } from "./moto";

// No test may reach the machine's own AWS account or Pulumi stacks.
for (const name of Object.keys(process.env)) {
  if (/^(AWS|PULUMI)_/.test(name) && !name.startsWith("PULUMI_ENGINE")) delete process.env[name];
}

// Without a handler these end mocha at once, and what it started would stay.
for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));

/** Hooks of the whole run; `.mocharc.cjs` loads them. */
export const mochaHooks: RootHookObject = {
  async afterAll() {
    await stopSharedMoto();
  },
};
