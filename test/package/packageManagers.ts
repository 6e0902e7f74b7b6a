import { join } from "node:path";

import { type Command, runCommand } from "../support/command";
import type { Manager } from "./matrix";

const ROOT = join(__dirname, "../..");
const CACHE = join(ROOT, ".cache/package-managers");

/** How a package manager of this repository is started; its version is that of package-lock.json, npm's is the machine's. */
const STARTED: Record<Manager, readonly [string, ...string[]]> = {
  npm: ["npm"],
  pnpm: [process.execPath, join(ROOT, "node_modules/pnpm/bin/pnpm.cjs")],
  yarn: [process.execPath, join(ROOT, "node_modules/@yarnpkg/cli-dist/bin/yarn.js")],
};

const INSTALL: Record<Manager, readonly string[]> = {
  npm: ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"],
  // In CI both refuse to make a lockfile, unless they are told to.
  pnpm: ["install", "--no-frozen-lockfile", "--prefer-offline", "--reporter=append-only"],
  yarn: ["install", "--no-immutable"],
};

/** The files beside package.json that a manager needs. */
export const SETTINGS: Record<Manager, Readonly<Record<string, string>>> = {
  npm: {},
  pnpm: {},
  yarn: { ".yarnrc.yml": "nodeLinker: node-modules\n", "yarn.lock": "" },
};

/** Installs what the package.json in a folder asks for. @throws Error with the manager's own words. */
export async function install(manager: Manager, folder: string, more: readonly string[] = []): Promise<void> {
  const { code, text } = await started(manager, [...INSTALL[manager], ...more], folder);
  if (code !== 0) throw new Error(`${manager} could not install:\n${text}`);
}

/** The version of a manager. */
export async function versionOf(manager: Manager): Promise<string> {
  const { text } = await started(manager, ["--version"], ROOT);
  return text.trim().split("\n").at(-1) ?? "";
}

let registry: Promise<string> | undefined;

/** The registry that npm uses here; left alone, yarn would ask one of its own. */
async function registryHere(): Promise<string> {
  registry ??= runCommand("npm", ["config", "get", "registry", "--loglevel=error"], {
    cwd: ROOT,
    env: process.env,
  }).then(({ text }) => text.trim().split("\n").at(-1) ?? "");
  return registry;
}

async function started(manager: Manager, args: readonly string[], cwd: string): Promise<Command> {
  const [command, ...first] = STARTED[manager];
  const env = {
    // A package manager that is started by another one takes over its settings.
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))),
    ...(manager === "pnpm" && {
      npm_config_registry: await registryHere(),
      npm_config_store_dir: join(CACHE, "pnpm"),
      npm_config_cache_dir: join(CACHE, "pnpm-metadata"),
    }),
    ...(manager === "yarn" && {
      YARN_NPM_REGISTRY_SERVER: (await registryHere()).replace(/\/$/, ""),
      YARN_GLOBAL_FOLDER: join(CACHE, "yarn"),
      YARN_ENABLE_TELEMETRY: "false",
      YARN_ENABLE_HARDENED_MODE: "false",
    }),
  };
  return runCommand(command, [...first, ...args], { cwd, env });
}
