import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runCommand } from "../support/command";
import { install } from "./packageManagers";
import { manifestOf, sdkOf, TYPED } from "./program";

/** The compilers that are tried: the oldest that knows package exports, and the newest that Pulumi's SDK allows. */
export const COMPILERS = ["4.7.4", "5.0.4", "6.0.3"] as const;

/**
 * Compiles a program against the types of the packed package, with other compilers than the one that programs are run with.
 *
 * @returns The compilers that had nothing to say.
 * @throws Error with the words of the first that had.
 */
export async function checkTypes(tarball: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "iam-rotation-types-"));
  try {
    const compilers = COMPILERS.map((version) => [nameOf(version), `npm:typescript@${version}`]);
    const dependencies = {
      "@pulumi/pulumi": sdkOf({ sdk: "newest" }),
      "@types/node": manifestOf(".").devDependencies["@types/node"],
      "pulumi-iam-rotation": `file:${tarball}`,
      ...Object.fromEntries(compilers),
    };
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "commonjs", dependencies }));
    writeFileSync(join(folder, "index.ts"), TYPED);
    await install("npm", folder);
    for (const version of COMPILERS) {
      const compiler = join(folder, "node_modules", nameOf(version), "bin/tsc");
      const args = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "node16", "index.ts"];
      const { code, text } = await runCommand(process.execPath, [compiler, ...args], { cwd: folder, env: process.env });
      if (code !== 0) throw new Error(`TypeScript ${version} refuses the package's types:\n${text}`);
    }
    return COMPILERS;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function nameOf(version: string): string {
  return `typescript-${version}`;
}
