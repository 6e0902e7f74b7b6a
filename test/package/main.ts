// `npm run package:matrix`: all combinations of package manager, module kind and language; writes docs/package.md.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { format } from "prettier";

import { Iam } from "../support/iam";
import { type Moto, startMoto } from "../support/moto";
import { live } from "./life";
import { ALL, type Combination, titleOf } from "./matrix";
import { pack, type Packed } from "./pack";
import { install, versionOf } from "./packageManagers";
import { manifestOf, sdkOf, writeProgram } from "./program";
import { type Ran, reportOf } from "./report";
import { measureSize } from "./size";
import { checkTypes } from "./types";

const REPORT = join(__dirname, "../../docs/package.md");

async function main(): Promise<number> {
  const missing = process.env["PULUMI_ENGINE_MISSING"];
  if (missing) throw new Error(missing);
  const packed = pack();
  const moto = await startMoto();
  try {
    const ran: Ran[] = [];
    for (const combination of ALL) {
      const result = await runOf(combination, packed, moto);
      ran.push(result);
      console.log(`${titleOf(combination)}: ${result.failure ?? "created, rotated, destroyed"}`);
    }
    const { engines, version, peerDependencies } = manifestOf("provider");
    const text = reportOf({
      ran,
      tarball: { size: packed.size, unpackedSize: packed.unpackedSize, files: packed.paths.length },
      installed: await measureSize(packed.file),
      versions: {
        own: version,
        node: process.version,
        engine: execFileSync("pulumi", ["version"], { encoding: "utf8" }).trim(),
        typescript: manifestOf(".").devDependencies["typescript"] ?? "",
      },
      compilers: await checkTypes(packed.file),
      ranges: { node: engines["node"] ?? "", sdk: peerDependencies["@pulumi/pulumi"] ?? "" },
      date: new Date().toISOString().slice(0, 10),
    });
    writeFileSync(REPORT, await format(text, { parser: "markdown", printWidth: 120 }));
    return ran.every(({ failure }) => failure === undefined) ? 0 : 1;
  } finally {
    await moto.stop();
    packed.remove();
  }
}

/** Installs and lives one combination in an emptied account; whatever goes wrong is its result. */
async function runOf(combination: Combination, packed: Packed, moto: Moto): Promise<Ran> {
  await moto.reset();
  const iam = new Iam(moto.endpoint);
  const folder = writeProgram(combination, packed.file);
  const started = Date.now();
  let installed = started;
  let failure: string | undefined;
  try {
    await install(combination.manager, folder);
    installed = Date.now();
    await live(folder, moto.endpoint, iam);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  } finally {
    iam.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  return {
    combination,
    manager: await versionOf(combination.manager),
    sdk: sdkOf(combination),
    installSeconds: (installed - started) / 1_000,
    lifeSeconds: (Date.now() - installed) / 1_000,
    failure,
  };
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
