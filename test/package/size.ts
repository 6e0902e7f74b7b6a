import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { install } from "./packageManagers";

/** What an installation puts on the disk beside `@pulumi/pulumi`, which the program has anyway. */
export interface InstalledSize {
  /** The package itself, in bytes. */
  readonly own: number;
  /** The packages that it depends on, directly or not: their number and their bytes. */
  readonly packages: number;
  readonly dependencies: number;
}

/** Installs the packed package by npm into an empty folder, without its peer, and measures. */
export async function measureSize(tarball: string): Promise<InstalledSize> {
  const folder = mkdtempSync(join(tmpdir(), "iam-rotation-size-"));
  try {
    const manifest = { private: true, dependencies: { "pulumi-iam-rotation": `file:${tarball}` } };
    writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
    await install("npm", folder, ["--legacy-peer-deps"]);
    const modules = join(folder, "node_modules");
    const all = filesIn(modules);
    const own = all.filter((file) => file.startsWith(join(modules, "pulumi-iam-rotation/")));
    const packages = all.filter((file) => /node_modules\/(@[^/]+\/)?[^/@]+\/package\.json$/.test(file)).length - 1;
    return { own: bytesOf(own), packages, dependencies: bytesOf(all) - bytesOf(own) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== ".package-lock.json")
    .map((entry) => join(entry.parentPath, entry.name));
}

function bytesOf(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + statSync(file).size, 0);
}
