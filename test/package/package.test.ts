import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Iam } from "../support/iam";
import { type Moto, sharedMoto } from "../support/moto";
import { describeEngine } from "../support/stack";
import { live } from "./life";
import { TESTED, titleOf } from "./matrix";
import { pack, type Packed } from "./pack";
import { install } from "./packageManagers";
import { manifestOf, writeProgram } from "./program";
import { measureSize } from "./size";

const MEGABYTE = 1_000_000;
const EXAMPLES = join(__dirname, "../../examples");

describe("the packed package", () => {
  let packed: Packed;

  before(() => {
    packed = pack();
  });
  after(() => packed.remove());

  it("holds the built code with its types, README, licence and changelog, and nothing else", () => {
    const { paths } = packed;
    const rest = paths.filter((path) => !/^dist\/.+\.(js|d\.ts)$/.test(path));
    assert.deepEqual(rest.sort(), ["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
    assert.deepEqual(
      paths.filter((path) => /test|\.map$|fake|mock/i.test(path)),
      [],
    );
    for (const entry of ["index", "dynamic"])
      for (const ending of ["js", "d.ts"]) assert.ok(paths.includes(`dist/${entry}.${ending}`), `${entry}.${ending}`);
  });

  it("stays small: itself below half a megabyte, all that comes with it below 20", async function () {
    this.timeout(120_000);
    const { own, dependencies } = await measureSize(packed.file);
    assert.ok(own < MEGABYTE / 2, `${own} bytes`);
    assert.ok(dependencies < 20 * MEGABYTE, `${dependencies} bytes`);
  });
});

/** The folder of an example, copied out of the repository; it takes the packed package. */
function copiedOut(example: string, tarball: string): string {
  const folder = mkdtempSync(join(tmpdir(), "iam-rotation-example-"));
  cpSync(join(EXAMPLES, example), folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
  const file = join(folder, "package.json");
  const manifest = JSON.parse(readFileSync(file, "utf8")) as { dependencies: Record<string, string> };
  manifest.dependencies["pulumi-iam-rotation"] = `file:${tarball}`;
  writeFileSync(file, JSON.stringify(manifest));
  return folder;
}

describeEngine("a program outside of this repository that has installed the package", () => {
  let packed: Packed;
  let moto: Moto;
  let iam: Iam;

  before(async () => {
    packed = pack();
    moto = await sharedMoto();
    iam = new Iam(moto.endpoint);
  });
  beforeEach(() => moto.reset());
  after(() => {
    iam.stop();
    packed.remove();
  });

  for (const combination of TESTED) {
    it(`creates, rotates and destroys: ${titleOf(combination)}`, async function () {
      this.timeout(300_000);
      const folder = writeProgram(combination, packed.file);
      try {
        await install(combination.manager, folder);
        await live(folder, moto.endpoint, iam);
      } finally {
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    });
  }

  it("may be an example that was copied out: its own package.json names all that it needs", async function () {
    this.timeout(300_000);
    const folder = copiedOut("quickstart", packed.file);
    try {
      await install("npm", folder);
      await live(folder, moto.endpoint, iam);
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });

  it("may be any other example: each names the same compiler as the one that was copied out", () => {
    const neededOf = (example: string) => manifestOf(`examples/${example}`).devDependencies;
    for (const example of readdirSync(EXAMPLES)) assert.deepEqual(neededOf(example), neededOf("quickstart"), example);
  });
});
