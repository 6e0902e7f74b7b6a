import { execFile } from "node:child_process";
import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";

import { program } from "../../test/support/fakeStack";
import type { ModuleCost } from "./results";
import { spreadOf } from "./statistics";

const ROOT = join(__dirname, "../..");
const PROVIDER = join(ROOT, "provider");

/** Measures what the provider's module costs until its first check has ended, and what an installation takes. */
export async function measureModule(times: number): Promise<ModuleCost> {
  const modules = { floor: join(__dirname, "programs/floor/dynamic.cjs"), ours: "pulumi-iam-rotation/dynamic" };
  const loads = { floor: [] as Load[], ours: [] as Load[] };
  for (let time = 0; time < times; time += 1) {
    for (const kind of ["floor", "ours"] as const) loads[kind].push(await load(modules[kind]));
  }
  const spreads = (field: keyof Load) => ({
    floor: spreadOf(loads.floor.map((one) => one[field])),
    ours: spreadOf(loads.ours.map((one) => one[field])),
  });
  return {
    loadMilliseconds: spreads("milliseconds"),
    loadMegabytes: spreads("megabytes"),
    installedMegabytes: installed(),
  };
}

interface Load {
  readonly milliseconds: number;
  readonly megabytes: number;
}

async function load(name: string): Promise<Load> {
  const args = [join(__dirname, "programs/firstCheck.cjs"), name, JSON.stringify(program())];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return JSON.parse(stdout) as Load;
}

/** The package and all that is installed for it; Pulumi, its peer, is there anyway. */
function installed(): ModuleCost["installedMegabytes"] {
  const folders = new Map<string, string>();
  const add = (folder: string) => {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      name: string;
      dependencies?: Record<string, string>;
    };
    if (folders.has(folder)) return;
    folders.set(folder, manifest.name);
    for (const name of Object.keys(manifest.dependencies ?? {})) add(folderOf(name, folder));
  };
  add(realpathSync(PROVIDER));
  const sum = (wanted: (name: string) => boolean) => {
    const some = [...folders].filter(([, name]) => wanted(name)).map(([folder]) => folder);
    return (
      some.reduce((bytes, folder) => bytes + bytesOf(folder === PROVIDER ? join(folder, "dist") : folder), 0) / 1e6
    );
  };
  const isOwn = (name: string) => name === "pulumi-iam-rotation";
  const isSdk = (name: string) => /^@(aws|aws-sdk|aws-crypto|smithy)\//.test(name);
  return {
    own: sum(isOwn),
    awsSdk: sum(isSdk),
    others: sum((name) => !isOwn(name) && !isSdk(name)),
    packages: folders.size,
  };
}

/** Where Node.js finds a package from another one's folder. */
function folderOf(name: string, from: string): string {
  const paths = createRequire(join(from, "package.json")).resolve.paths(name) ?? [];
  const folder = paths.map((path) => join(path, name)).find((path) => isThere(join(path, "package.json")));
  if (folder === undefined) throw new Error(`${name} is not installed, which ${from} depends on`);
  return realpathSync(folder);
}

function isThere(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** What a package's own files take; those that are installed inside it are counted as their own packages. */
function bytesOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== "node_modules")
    .reduce((bytes, entry) => {
      const path = join(folder, entry.name);
      return bytes + (entry.isDirectory() ? bytesOf(path) : statSync(path).size);
    }, 0);
}
