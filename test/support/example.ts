import { join } from "node:path";

import type { StackOptions } from "./stack";

/** The folder of the plugin that plays the AWS provider, to come first on PATH. */
export const AWS_PLUGIN = join(__dirname, "awsPlugin");

/** What a stack of an example is made with: a copy of the project, and the AWS provider's stand-in. */
export function exampleOf(name: string): Pick<StackOptions, "project" | "path" | "env"> {
  return {
    project: { folder: `examples/${name}`, parts: ["Pulumi.yaml", "index.ts", "package.json", "tsconfig.json"] },
    path: [AWS_PLUGIN],
    // The lint checks its types; with those of the AWS package that takes seconds.
    env: { PULUMI_NODEJS_TRANSPILE_ONLY: "true" },
  };
}
