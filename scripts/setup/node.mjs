// The Node.js that everything runs with: the machine's own if it is new enough, else the one from npm's packages.
import { join, dirname } from "node:path";
import { existsSync, realpathSync } from "node:fs";
import { run } from "./children.mjs";
import { minimumNode, root } from "./places.mjs";
import { SetupError } from "./say.mjs";

/** Finds it: `{ path, bin, version }`, where `bin` is the folder to put first on PATH. */
export async function findNode() {
  const own = describe(process.execPath, process.version);
  if (own) return own;
  // One of package.json's optionalDependencies, whichever suits the machine.
  const link = join(root, "node_modules/.bin/node");
  if (existsSync(link)) {
    const { code, output } = await run(link, ["--version"]);
    const packaged = code === 0 && describe(realpathSync(link), output);
    if (packaged) return packaged;
  }
  throw new SetupError(
    `Node.js ${minimumNode} or newer is needed; this is ${process.version}, and npm has no binary package for ` +
      `${process.platform} ${process.arch} that runs here. Install it and try again.`,
  );
}

function describe(path, version) {
  const major = Number(/^v(\d+)\./.exec(version)?.[1]);
  return major >= minimumNode ? { path, bin: dirname(path), version: version.slice(1) } : undefined;
}
