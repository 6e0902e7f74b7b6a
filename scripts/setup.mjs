// `npm run setup`: finds or makes everything that the other scripts run with. Changes nothing when nothing is missing.
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { endOnSignal } from "./setup/children.mjs";
import { findEmulator } from "./setup/emulator.mjs";
import { findEngine } from "./setup/engine.mjs";
import { withLock } from "./setup/lock.mjs";
import { findNode } from "./setup/node.mjs";
import { buildProvider, installPackages } from "./setup/packages.mjs";
import { cloneCache, motoVersion } from "./setup/places.mjs";
import { SetupError } from "./setup/say.mjs";

/**
 * Sets up and says what there is: `node` {path, bin, version}; `engine` {bin, version, from}, or {bin: null, reason};
 * `moto`, the emulator's command as an array. With `only: "packages"` nothing but npm's packages and the provider's build.
 */
export async function setUp({ only } = {}) {
  return withLock(join(cloneCache, "setup.lock"), async () => {
    await installPackages();
    await buildProvider();
    const node = await findNode();
    if (only === "packages") return { node };
    // One by one: where the quick one fails, nobody should wait for the slow one's build.
    const moto = await findEmulator();
    return { node, moto, engine: await findEngine() };
  });
}

/** The environment that everything runs in: the right Node.js and engine first on PATH, and what the tests ask for. */
export function environment({ node, engine, moto }) {
  const folders = [...(engine?.bin ? [engine.bin] : []), node.bin, process.env.PATH];
  return {
    ...process.env,
    PATH: folders.join(delimiter),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...(moto && { MOTO_SERVER_COMMAND: JSON.stringify(moto) }),
    ...(engine?.bin && { PULUMI_ENGINE: engine.bin }),
    ...(engine?.reason && { PULUMI_ENGINE_MISSING: engine.reason }),
  };
}

/** Runs a script's main function; a problem that the person can solve is told without a stack trace. */
export async function main(work, { graceSeconds = 20 } = {}) {
  endOnSignal(graceSeconds);
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    console.error(error instanceof SetupError ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    const started = Date.now();
    const { node, engine, moto } = await setUp();
    console.log(`Node.js ${node.version}: ${node.path}`);
    console.log(engine.bin ? `Pulumi ${engine.version} from ${engine.from}: ${engine.bin}` : engine.reason);
    console.log(`moto ${motoVersion}: ${moto.join(" ")}`);
    console.log(`Set up in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
    return engine.bin ? 0 : 1;
  });
}
