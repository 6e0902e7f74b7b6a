// The AWS emulator: moto's server, from the machine's own Python if it has the right version, else in a virtual environment.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./children.mjs";
import { lastLines } from "./packages.mjs";
import { cloneCache, motoRequirement, motoVersion } from "./places.mjs";
import { SetupError, during } from "./say.mjs";

// Prints version and interpreter; fails where the server's extra packages are missing.
const probe = `
import importlib.metadata, importlib.util, sys
missing = [name for name in ("flask", "flask_cors", "py_partiql_parser", "yaml") if not importlib.util.find_spec(name)]
sys.exit(f"without {missing}") if missing else print(importlib.metadata.version("moto"), sys.executable)
`;

/** The command that starts the server, as an array; the caller adds host and port. */
export async function findEmulator() {
  const { code, output } = await run("python3", ["-c", probe]);
  const [version, python] = output.split(" ");
  if (code === 0 && version === motoVersion) return serverOf(python);
  return serverOf(await virtualEnvironment());
}

async function virtualEnvironment() {
  const folder = join(cloneCache, `moto-${motoVersion}`);
  const python = join(folder, "bin/python3");
  const stamp = join(folder, "complete");
  if (existsSync(stamp)) return python;
  rmSync(folder, { recursive: true, force: true });
  await during(`AWS emulator (moto ${motoVersion})`, async () => {
    const made = await run("python3", ["-m", "venv", folder]);
    if (made.code === 127)
      throw new SetupError("Python 3.10 or newer is needed for the AWS emulator: install python3 with venv and pip.");
    if (made.code !== 0) {
      throw new SetupError(
        "Python cannot make a virtual environment for the AWS emulator. Install its venv and pip modules " +
          `(Debian and Ubuntu: python3-venv) and try again.\n${lastLines(made.output)}`,
      );
    }
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", motoRequirement];
    const installed = await run(python, pip);
    if (installed.code !== 0)
      throw new SetupError(`pip could not install ${motoRequirement}:\n${lastLines(installed.output)}`);
  });
  writeFileSync(stamp, "");
  return python;
}

function serverOf(python) {
  return [python, "-m", "moto.server"];
}
