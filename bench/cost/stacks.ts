import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { AMBIENT_CONNECTION_ID } from "../../provider/src/contract/inputs";
import { SECRET_OUTPUTS } from "../../provider/src/contract/outputs";
import type { Command } from "../../test/support/command";
import { CliStack, plain } from "../../test/support/engineCli";
import type { Wire } from "../../test/support/providerHost";
import { type Cost, measured } from "./measure";

/** What is compared: a provider that only echoes, what is written by hand today, and this package. */
export const KINDS = ["floor", "usual", "ours"] as const;
export type Kind = (typeof KINDS)[number];

/** A deployment, as `pulumi stack export` writes it. */
export interface Deployment {
  readonly version: number;
  readonly deployment: { readonly resources: readonly Wire[] } & Wire;
}

const PROGRAMS = join(__dirname, "programs");

/** Config `iam-rotation:limits`: nothing waits but for AWS, and verification's spacing is taken out. */
const LIMITS = JSON.stringify({ lagSeconds: 0, verifySpacingSeconds: 0 });

/** The name of the first user, from whose state those of the others are made. */
export const TEMPLATE = nameOf(0);

/** The logical name of a rotation, and the name of its IAM user: all of one length. */
export function nameOf(index: number): string {
  return `user-${String(index).padStart(4, "0")}`;
}

/** So many names. */
export function namesOf(count: number): string[] {
  return Array.from({ length: count }, (_none, index) => nameOf(index));
}

const ROTATION = {
  projectId: "3c90c3cc-0d44-4b50-8888-8dd25736052a",
  connectionId: AMBIENT_CONNECTION_ID,
  environment: "prod",
  secretPath: "/ci",
  rotationInterval: 30,
  parameters: { userName: TEMPLATE, region: "us-east-1" },
  secretsMapping: { accessKeyId: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY" },
};

/** A project with many resources of one kind, and its stack. */
export class CostStack {
  private readonly stack: CliStack;

  private constructor(
    readonly kind: Kind,
    endpoint: string,
  ) {
    this.stack = new CliStack(TEMPLATE, endpoint, "dev", undefined, {
      // A user has none either.
      NODE_DISABLE_COMPILE_CACHE: "1",
    });
    const { folder } = this.stack;
    cpSync(join(PROGRAMS, `${kind}.cjs`), join(folder, "index.js"));
    if (kind !== "floor") return;
    rmSync(join(folder, "node_modules/pulumi-iam-rotation"));
    cpSync(join(PROGRAMS, "floor"), join(folder, "node_modules/pulumi-iam-rotation"), { recursive: true });
  }

  /** Makes an empty stack. The caller removes it. */
  static async create(kind: Kind, endpoint: string): Promise<CostStack> {
    const made = new CostStack(kind, endpoint);
    await made.stack.init();
    return made;
  }

  /**
   * Writes the program and the stack's config.
   *
   * @param names The rotations.
   * @param like A resource of ours, for the floor to be like.
   * @param asOf The schedule's day, an ISO instant: another one makes every resource change. None: nothing is due.
   * @param rotation More arguments of each rotation.
   */
  write(names: readonly string[], like: Wire | undefined, asOf?: string, rotation: Wire = {}): void {
    const args = {
      usual: () => ({ names, rotateOn: asOf ?? "2026-01-01" }),
      ours: () => ({ names, rotation: { ...ROTATION, ...rotation } }),
    };
    const floor = () => ({ names, ...declaredLike(like), ...(asOf && { nextRotationAt: asOf }) });
    const isAsOf = this.kind === "ours" && asOf !== undefined;
    this.stack.write({ floor, ...args }[this.kind](), {
      "iam-rotation:limits": LIMITS,
      ...(isAsOf && { "iam-rotation:asOf": asOf }),
    });
  }

  /** Writes the usual program with as many inputs, outputs and secrets as a resource of ours. */
  writeInFull(names: readonly string[], like: Wire): void {
    this.stack.write({ names, rotateOn: "2026-01-01", inFull: declaredLike(like) }, {});
  }

  /** Runs a command of the engine that must succeed, and measures it. */
  async measure(...args: readonly string[]): Promise<Cost> {
    return measured(this.stack.folder, () => this.must(args));
  }

  /** Runs a command of the engine. */
  run(...args: readonly string[]): Promise<Command> {
    return this.stack.run(args);
  }

  /** State, secrets in plain text. */
  async export(): Promise<Deployment> {
    const file = join(this.stack.folder, "exported.json");
    await this.must(["stack", "export", "--show-secrets", "--file", file, "--stack", "dev"]);
    return JSON.parse(readFileSync(file, "utf8")) as Deployment;
  }

  /** Takes a state in place of the stack's own. */
  async import(deployment: Deployment): Promise<void> {
    const file = join(this.stack.folder, "imported.json");
    writeFileSync(file, JSON.stringify(deployment));
    await this.must(["stack", "import", "--file", file, "--stack", "dev"]);
  }

  /** The resources of this stack as they lie on the disk, secrets encrypted. */
  saved(): readonly Wire[] {
    const file = join(this.stack.folder, "state/.pulumi/stacks/sweep/dev.json");
    const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as { checkpoint: { latest: { resources: Wire[] } } };
    return checkpoint.latest.resources.filter(isRotation);
  }

  /** Ends the stack, files and all. */
  remove(): void {
    this.stack.remove();
  }

  private async must(args: readonly string[]): Promise<void> {
    const { code, text } = await this.stack.run(args);
    if (code !== 0) throw new Error(`${this.kind}: pulumi ${args.join(" ")} failed:\n${text}`);
  }
}

/** What a program declares for a resource with the inputs, outputs and secrets of one of ours. */
function declaredLike(like: Wire | undefined) {
  const { __provider: _inputsCode, ...inputs } = like?.["inputs"] as Wire;
  const { __provider: _outputsCode, ...outputs } = plain(like?.["outputs"]) as Wire;
  return {
    template: TEMPLATE,
    inputs,
    outputs,
    outputNames: Object.keys(outputs),
    secretOutputs: SECRET_OUTPUTS,
  };
}

/** Whether a resource in a state is one of those that are measured. */
export function isRotation({ type }: Wire): boolean {
  return String(type).startsWith("pulumi-nodejs:dynamic");
}

/** The state of many resources, made from the state of the first by its name. */
export function multiplied({ version, deployment }: Deployment, names: readonly string[]): Deployment {
  const resources = deployment.resources.flatMap((resource) => {
    if (!isRotation(resource)) return [resource];
    const text = JSON.stringify(resource);
    return names.map((name) => JSON.parse(text.replaceAll(TEMPLATE, name)) as Wire);
  });
  return { version, deployment: { ...deployment, resources } };
}
