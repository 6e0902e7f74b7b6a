// Builds the Pulumi engine from Go modules: the last resort, some minutes on two cores, then kept.
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./children.mjs";
import { lastLines } from "./packages.mjs";
import { engineVersion } from "./places.mjs";
import { during } from "./say.mjs";

/** The go.mod files beside this one pin what is built. */
const recipes = fileURLToPath(new URL("engine", import.meta.url));
const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

/** Puts the executables into `folder`/bin; hands back why it cannot, or nothing. */
export async function buildEngine(folder) {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const engine = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
  const host = "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs";
  return (
    (await missingGo()) ??
    (await build("pulumi", engine, engineVersion, join(bin, "pulumi"))) ??
    (await build("language-nodejs", host, engineVersion, join(bin, "pulumi-language-nodejs"))) ??
    (await copyDynamicProvider(bin))
  );
}

async function missingGo() {
  const { code, output } = await go(["version"], "pulumi");
  if (code === 0) return undefined;
  return code === 127 ? "Go is not installed" : `the Go on PATH is too old or broken (${lastLines(output, 1)})`;
}

async function build(recipe, command, version, target) {
  const flags = `-s -w -X ${versionVariable}=v${version}`;
  const what = `build of ${recipe === "pulumi" ? `the Pulumi engine ${version}` : "its Node.js host"} from Go modules`;
  const hint = recipe === "pulumi" ? " (some minutes, only this once)" : "";
  const { code, output } = await during(what + hint, () =>
    go(["build", "-trimpath", "-ldflags", flags, "-o", target, command], recipe),
  );
  return code === 0 ? undefined : lastLines(output, 5);
}

/** What starts the host of dynamic providers is a shell script, which the language host's module carries. */
async function copyDynamicProvider(bin) {
  const { code, output } = await go(
    ["list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"],
    "language-nodejs",
  );
  if (code !== 0) return lastLines(output, 5);
  const script = "pulumi-resource-pulumi-nodejs";
  copyFileSync(join(output, "nodejs/dist", script), join(bin, script));
  chmodSync(join(bin, script), 0o755);
  return undefined;
}

/** Runs go in a recipe's folder, as the recipe says and not as the machine's settings have it. */
function go(args, recipe) {
  const env = { ...process.env, GOFLAGS: "-mod=readonly -buildvcs=false", GOWORK: "off", GO111MODULE: "on" };
  return run("go", args, { cwd: join(recipes, recipe), env });
}
