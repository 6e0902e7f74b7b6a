import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const DIST = join(__dirname, "../../provider/dist");

/** Which of the packages are loaded by a file of the built provider. */
async function loadedBy(file: string, packages: readonly string[], ...args: string[]): Promise<string[]> {
  const report = `process.on("exit", () => console.error("loaded " + JSON.stringify(Object.keys(require.cache))))`;
  const script = `${report}; process.argv.splice(1, 0, ${JSON.stringify(file)}); require(${JSON.stringify(join(DIST, file))})`;
  const { stderr } = await promisify(execFile)(process.execPath, ["-e", script, "--", ...args]);
  const files = JSON.parse(stderr.slice(stderr.lastIndexOf("loaded ") + 7)) as string[];
  return packages.filter((name) => files.some((loaded) => loaded.includes(`/node_modules/${name}/`)));
}

describe("The package, loaded", () => {
  it("does not load the command line's packages in a Pulumi program or in Pulumi's host", async () => {
    for (const file of ["index.js", "dynamic.js"]) {
      assert.deepEqual(await loadedBy(file, ["commander", "cli-table3"]), [], file);
    }
  });

  it("loads neither Pulumi's SDK nor the AWS SDK for the command line's help", async () => {
    const packages = ["commander", "@pulumi/pulumi", "@aws-sdk/client-iam", "@aws-sdk/client-sts"];
    assert.deepEqual(await loadedBy("cli/main.js", packages, "--help"), ["commander"]);
  });
});
