import { type ChildProcess, execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { type Command, runCommand } from "./command";
import { engineEnvironment } from "./engineEnvironment";
import type { Saved } from "./engineModel";
import type { Wire } from "./providerHost";

const ROOT = join(__dirname, "../..");
const PROJECT = "sweep";
const SECRET_KEY = "4dabf18193072939515e22adb298388d";

// Declares one rotation from a file beside it, so that the same program serves all cases.
const PROGRAM = `const { AwsIamUserSecretRotation } = require("pulumi-iam-rotation");
const { logicalName, args } = require("./rotation.json");
const rotation = new AwsIamUserSecretRotation(logicalName, args);
exports.accessKeyId = rotation.accessKeyId;
exports.secrets = rotation.secrets;
`;

/** A stack on the real engine, started as a process that can be killed. */
export class CliStack {
  /** All that the CLI has printed. */
  printed = "";
  readonly folder: string;
  private running: ChildProcess | undefined;
  private readonly orphans = new Set<number>();

  /**
   * @param logicalName The rotation's; its project is `sweep`.
   * @param backend The URL of the state's backend; by default files beside the program.
   */
  constructor(
    private readonly logicalName: string,
    private readonly endpoint: string,
    private readonly stack = "dev",
    private readonly backend?: string,
    private readonly env: Record<string, string> = {},
  ) {
    const cache = join(ROOT, ".cache");
    mkdirSync(cache, { recursive: true });
    // In the clone, so that the engine's SDK is found.
    this.folder = mkdtempSync(join(cache, "engine-"));
    mkdirSync(join(this.folder, "node_modules"));
    mkdirSync(join(this.folder, "state"));
    symlinkSync(join(ROOT, "provider"), join(this.folder, "node_modules/pulumi-iam-rotation"));
    writeFileSync(join(this.folder, "index.js"), PROGRAM);
    writeFileSync(join(this.folder, "package.json"), '{ "main": "index.js" }');
    writeFileSync(
      join(this.folder, "Pulumi.yaml"),
      `name: ${PROJECT}\nruntime: { name: nodejs, options: { typescript: false } }\n`,
    );
  }

  /** Makes the stack. */
  async init(): Promise<void> {
    const { code, text } = await this.run(["stack", "init", this.stack]);
    if (code !== 0) throw new Error(`no stack could be made: ${text}`);
  }

  /** What the program and the stack's config are from now on. */
  write(args: Wire, config: Record<string, string>): void {
    writeFileSync(join(this.folder, "rotation.json"), JSON.stringify({ logicalName: this.logicalName, args }));
    const file = join(this.folder, `Pulumi.${this.stack}.yaml`);
    const salt = /^encryptionsalt:.*$/m.exec(readFileSync(file, "utf8"))?.[0] ?? "";
    // JSON is YAML; structured values are JSON text already.
    const values = Object.entries(config).map(([key, value]) => {
      return `  ${key}: ${value.startsWith("{") ? value : JSON.stringify(value)}`;
    });
    writeFileSync(file, [salt, "config:", ...values, ""].join("\n"));
  }

  up(): Promise<Command> {
    return this.run(["up", "--yes", "--skip-preview", "--suppress-outputs"]);
  }

  refresh(): Promise<Command> {
    return this.run(["refresh", "--yes", "--skip-preview"]);
  }

  destroy(): Promise<Command> {
    return this.run(["destroy", "--yes", "--skip-preview"]);
  }

  /** Takes away the lock that a killed engine leaves behind. */
  cancel(): Promise<Command> {
    return this.run(["cancel", "--yes"]);
  }

  /** The rotation as the engine has saved it, secrets in plain text; undefined when it is not in state. */
  async saved(): Promise<Saved | undefined> {
    const { stdout } = await promisify(execFile)(
      "pulumi",
      ["stack", "export", "--show-secrets", "--stack", this.stack, "--non-interactive"],
      { cwd: this.folder, env: this.environment(), maxBuffer: 1 << 24 },
    );
    const { deployment } = JSON.parse(stdout) as { deployment: { resources?: Wire[] } };
    const resource = deployment.resources?.find(({ type }) => String(type).startsWith("pulumi-nodejs:dynamic"));
    if (!resource) return undefined;
    return {
      id: String(resource["id"]),
      inputs: plain(resource["inputs"]) as Wire,
      outputs: plain(resource["outputs"] ?? {}) as Wire,
      hasFailed: resource["initErrors"] !== undefined,
    };
  }

  /** Ctrl-C, as the engine that is at work gets it. */
  interrupt(signal: "SIGINT" | "SIGTERM"): void {
    if (!this.running?.kill(signal)) throw new Error("no engine is at work");
  }

  /** kill -9 of the engine that is at work; its provider goes on. */
  async killEngine(): Promise<void> {
    const { running } = this;
    if (running?.pid === undefined) throw new Error("no engine is at work");
    for (const { pid } of await descendants(running.pid)) this.orphans.add(pid);
    running.kill("SIGKILL");
  }

  /** kill -9 of the provider of the engine that is at work. */
  async killProvider(): Promise<void> {
    const { running } = this;
    if (running?.pid === undefined) throw new Error("no engine is at work");
    const all = await descendants(running.pid);
    const providers = all.filter(({ command }) => command.includes("cmd/dynamic-provider"));
    if (providers.length === 0) throw new Error("no provider is at work");
    for (const { pid } of providers) process.kill(pid, "SIGKILL");
  }

  /** Everything that the engine has written: state, backups, history. */
  savedText(): string {
    return readdirSync(join(this.folder, "state"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .join("\n");
  }

  /** Ends what killed engines left behind, and takes the files away. */
  remove(): void {
    for (const pid of this.orphans) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Any command of the CLI, on this stack. */
  async run(args: readonly string[]): Promise<Command> {
    const command = args[0] === "stack" ? [...args] : [...args, "--stack", this.stack];
    const { code, text } = await runCommand("pulumi", [...command, "--non-interactive", "--color", "never"], {
      cwd: this.folder,
      env: this.environment(),
      onStart: (child) => (this.running = child),
    });
    this.printed += text;
    return { code, text };
  }

  private environment(): NodeJS.ProcessEnv {
    return engineEnvironment({
      endpoint: this.endpoint,
      backend: this.backend ?? pathToFileURL(join(this.folder, "state")).href,
      home: join(this.folder, "home"),
      env: this.env,
    });
  }
}

/** The processes that a process has started, and those that they have. */
async function descendants(ancestor: number): Promise<{ pid: number; command: string }[]> {
  const { stdout } = await promisify(execFile)("ps", ["-axo", "pid=,ppid=,command="], { maxBuffer: 1 << 24 });
  const all = stdout.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    return match ? [{ pid: Number(match[1]), parent: Number(match[2]), command: match[3] ?? "" }] : [];
  });
  const found: { pid: number; command: string }[] = [];
  const parents = [ancestor];
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    for (const child of all.filter((one) => one.parent === parent)) {
      found.push(child);
      parents.push(child.pid);
    }
  }
  return found;
}

/** Takes the engine's wrapping of secrets off. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET_KEY in value) return JSON.parse(String((value as Wire)["plaintext"]));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
