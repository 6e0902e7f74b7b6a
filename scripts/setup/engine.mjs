// The Pulumi engine: one on PATH, else the official npm package's, else a build from Go modules.
import { accessSync, constants, existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { buildEngine } from "./engine-build.mjs";
import { run } from "./children.mjs";
import { withLock } from "./lock.mjs";
import { lastLines } from "./packages.mjs";
import { engineVersion, minimumEngine, userCache } from "./places.mjs";
import { during, say } from "./say.mjs";

/** What has to be in the engine's folder to run a Node.js program with a dynamic provider. */
const executables = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"];

const installed = join(userCache, `engine-${engineVersion}`);

/** `{ bin, version, from }`, or `{ bin: null, reason }` that says what to install. */
export async function findEngine() {
  const refused = [];
  const onPath = await engineOnPath(refused);
  if (onPath) return onPath;
  return ready() ?? withLock(join(userCache, "engine.lock"), async () => ready() ?? install(refused));
}

function ready() {
  const bin = join(installed, "bin");
  return hasEngine(bin) ? { bin, version: engineVersion, from: "the cache folder" } : undefined;
}

async function engineOnPath(refused) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const first = folders.find((folder) => isExecutable(join(folder, "pulumi")));
  if (!first) return undefined;
  const { code, output } = await run(join(first, "pulumi"), ["version"], { env: quietly(process.env) });
  const version = /^v(\d+\.\d+\.\d+)/m.exec(output)?.[1];
  if (code !== 0 || !version) {
    refused.push(`the pulumi on PATH does not say its version`);
    return undefined;
  }
  if (!isAtLeast(version, minimumEngine)) {
    refused.push(`the pulumi on PATH is ${version}, ${minimumEngine} or newer is needed`);
    return undefined;
  }
  // On PATH there may be a link, or the npm package's launcher, whose engine is in Pulumi's own folder.
  const home = process.env.PULUMI_HOME || join(homedir(), ".pulumi");
  const places = [first, dirname(realpathSync(join(first, "pulumi"))), join(home, "versions", version, "bin")];
  const whole = places.find(hasEngine);
  const rest = executables.slice(1);
  if (whole || rest.every((name) => folders.some((folder) => isExecutable(join(folder, name))))) {
    return { bin: whole ?? first, version, from: "PATH" };
  }
  refused.push(`the pulumi ${version} on PATH comes without ${rest.join(" and ")}`);
  return undefined;
}

/** Tries each way in turn, in a folder beside the final one that is renamed when it is whole. */
async function install(refused) {
  for (const left of readdirSync(userCache).filter((name) => name.includes(".partial-"))) {
    rmSync(join(userCache, left), { recursive: true, force: true });
  }
  const ways = { "npm's pulumi package": fromNpm, "Go modules": buildEngine };
  for (const [from, way] of Object.entries(ways)) {
    const partial = `${installed}.partial-${process.pid}`;
    mkdirSync(partial, { recursive: true });
    const reason = await way(partial);
    if (reason === undefined && hasEngine(join(partial, "bin"))) {
      rmSync(installed, { recursive: true, force: true });
      renameSync(partial, installed);
      return { ...ready(), from };
    }
    refused.push(`${from}: ${reason ?? `came without ${executables.join(", ")}`}`);
    say(`no engine from ${refused.at(-1)}`);
    rmSync(partial, { recursive: true, force: true });
  }
  return {
    bin: null,
    reason:
      "No Pulumi engine could be found or made. Install Pulumi (https://www.pulumi.com/docs/install/) or Go 1.25, and try again.\n" +
      refused.map((line) => `  - ${line}`).join("\n"),
  };
}

/** The package downloads the engine from the vendor when it is first run, and fails at once where it cannot. */
async function fromNpm(folder) {
  const work = join(folder, "npm");
  const npm = ["install", "--prefix", work, "--no-audit", "--no-fund", "--loglevel=error", `pulumi@${engineVersion}`];
  return during(`Pulumi engine ${engineVersion} from npm's pulumi package`, async () => {
    mkdirSync(work);
    const packed = await run("npm", npm, { cwd: work });
    if (packed.code !== 0) return lastLines(packed.output, 3);
    const env = quietly({ ...process.env, PULUMI_HOME: work, PULUMI_VERSION: engineVersion });
    const first = await run(process.execPath, [join(work, "node_modules/pulumi/run.js"), "version"], { env });
    if (first.code !== 0) return lastLines(first.output, 1);
    renameSync(join(work, "versions", engineVersion, "bin"), join(folder, "bin"));
    rmSync(work, { recursive: true });
    return undefined;
  });
}

/** Compares versions of three numbers. */
function isAtLeast(version, minimum) {
  const [a, b] = [version, minimum].map((text) => text.split(".").map(Number));
  const differing = a.findIndex((part, index) => part !== b[index]);
  return differing === -1 || a[differing] > b[differing];
}

function hasEngine(folder) {
  return executables.every((name) => isExecutable(join(folder, name)));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return existsSync(file);
  } catch {
    return false;
  }
}

/** The environment without the engine's look for a newer version. */
function quietly(env) {
  return { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" };
}
