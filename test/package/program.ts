import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Combination } from "./matrix";
import { SETTINGS } from "./packageManagers";

const ROOT = join(__dirname, "../..");

interface Manifest {
  readonly version: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** The package.json in a folder of this repository. */
export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")) as Manifest;
}

/** The version of `@pulumi/pulumi` that a combination's program has. */
export function sdkOf({ sdk }: Pick<Combination, "sdk">): string {
  const oldest = /^\^(\d+\.\d+\.\d+)$/.exec(manifestOf("provider").peerDependencies["@pulumi/pulumi"] ?? "")?.[1];
  if (oldest === undefined) throw new Error("the package names no oldest SDK");
  return sdk === "oldest" ? oldest : pinned("@pulumi/pulumi");
}

/** The version of a package that this repository itself is tested with. */
function pinned(name: string): string {
  return manifestOf(".").devDependencies[name] ?? "";
}

const ARGS = `{
  projectId: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
  connectionId: AMBIENT_CONNECTION_ID,
  environment: "prod",
  secretPath: "/ci",
  rotationInterval: 30,
  parameters: { userName: "ci-bot" },
  secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
}`;

const MODULE = `import { AMBIENT_CONNECTION_ID, AwsIamUserSecretRotation } from "pulumi-iam-rotation";

const rotation = new AwsIamUserSecretRotation("ci-bot", ${ARGS});

export const secrets = rotation.secrets;
`;

const COMMONJS = `const { AMBIENT_CONNECTION_ID, AwsIamUserSecretRotation } = require("pulumi-iam-rotation");

const rotation = new AwsIamUserSecretRotation("ci-bot", ${ARGS});

exports.secrets = rotation.secrets;
`;

/** A program in TypeScript. It does not compile where the package's types are not found, or are `any`; Pulumi's host tries. */
export const TYPED = `${MODULE}
import type * as pulumi from "@pulumi/pulumi";
import type { AwsIamUserSecretRotationArgs } from "pulumi-iam-rotation";

export const accessKeyId: pulumi.Output<string> = rotation.accessKeyId;
// @ts-expect-error: not a number of days
export const interval: AwsIamUserSecretRotationArgs["rotationInterval"] = "often";
`;

const TSCONFIG = { compilerOptions: { strict: true, target: "es2022", module: "nodenext", skipLibCheck: true } };

/** Writes a program, outside of this repository, that has the packed package as a dependency; gives its folder. */
export function writeProgram(combination: Combination, tarball: string): string {
  const { manager, module, language } = combination;
  const folder = mkdtempSync(join(tmpdir(), "iam-rotation-program-"));
  const typescript = language === "typescript";
  const source = typescript ? TYPED : module === "module" ? MODULE : COMMONJS;
  const manifest = {
    name: "a-program",
    private: true,
    type: module,
    main: typescript ? "index.ts" : "index.js",
    dependencies: {
      "@pulumi/pulumi": sdkOf(combination),
      "pulumi-iam-rotation": `file:${tarball}`,
      ...(typescript && {
        "@types/node": pinned("@types/node"),
        "ts-node": pinned("ts-node"),
        typescript: pinned("typescript"),
      }),
    },
  };
  const files = {
    "package.json": JSON.stringify(manifest, undefined, 2),
    "Pulumi.yaml": "name: a-program\nruntime: nodejs\n",
    [manifest.main]: source,
    ...(typescript && { "tsconfig.json": JSON.stringify(TSCONFIG) }),
    ...SETTINGS[manager],
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}
