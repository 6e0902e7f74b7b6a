// The npm packages of the workspace, and the build of the provider, which everything else imports.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./children.mjs";
import { cloneCache, root } from "./places.mjs";
import { SetupError, during } from "./say.mjs";

/** Installs what package-lock.json names, if node_modules holds anything else. */
export async function installPackages() {
  if (installedAsLocked()) return;
  // Without scripts: none of the packages needs one, and a failing build of the provider should not undo the install.
  const args = [
    "ci",
    "--ignore-scripts",
    "--include=dev",
    "--include=optional",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const { code, output } = await during("npm packages", () => run("npm", args, { cwd: root }));
  if (code !== 0) throw new SetupError(`npm ci failed:\n${lastLines(output)}`);
}

/** Builds the provider, if its sources are not those that it was built from. */
export async function buildProvider() {
  const stamp = join(cloneCache, "provider-build.json");
  const built = join(root, "provider/dist/index.js");
  const sources = fingerprint();
  // The time is part of it: after a build by hand nobody knows from which sources.
  const state = () => JSON.stringify({ sources, builtAt: existsSync(built) ? statSync(built).mtimeMs : null });
  if (existsSync(built) && existsSync(stamp) && readFileSync(stamp, "utf8") === state()) return;
  rmSync(stamp, { force: true });
  const { code, output } = await during("build of the provider", () =>
    run("npm", ["run", "build", "--silent"], { cwd: root }),
  );
  if (code !== 0) throw new SetupError(`The provider does not build:\n${lastLines(output, 40)}`);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, state());
}

/** npm keeps in node_modules a record of what it put there, and writes it last: compared with the lock, it says all. */
function installedAsLocked() {
  const record = join(root, "node_modules/.package-lock.json");
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, "utf8")).packages;
  const locked = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const same = (a, b) => a.version === b.version && a.integrity === b.integrity && a.resolved === b.resolved;
  return Object.entries(locked).every(([path, wanted]) => {
    if (!path.startsWith("node_modules/")) return true;
    const found = installed[path];
    return found ? same(found, wanted) : wanted.optional === true || wanted.peer === true;
  });
}

function fingerprint() {
  const hash = createHash("sha256");
  const files = readdirSync(join(root, "provider/src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  const settings = ["provider/package.json", "provider/tsconfig.json", "tsconfig.json", "package-lock.json"];
  for (const file of [...files, ...settings.map((name) => join(root, name))]) {
    hash
      .update(`${file.slice(root.length)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

/** The end of a tool's output, where the reason stands. */
export function lastLines(output, count = 15) {
  return output.split("\n").slice(-count).join("\n");
}
