import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import {
  type EngineEvent,
  LocalWorkspace,
  type PulumiFn,
  type Stack,
  type StackSettings,
} from "@pulumi/pulumi/automation";

import { runCommand } from "./command";

const ROOT = join(__dirname, "../..");
const STACK = "dev";

// How the engine writes a secret into exported state: this key with this value, the plain text as JSON beside it.
const SECRET_KEY = "4dabf18193072939515e22adb298388d";

// What the guides' commands are typed into: half of the time goes into previews.
const UNATTENDED = `pulumi() {
  case $1 in
    up | destroy) command pulumi "$@" --yes --skip-preview --color never ;;
    *) command pulumi "$@" --color never ;;
  esac
}`;

/** A suite that needs the Pulumi engine; skipped, with the reason in its title, where there is none. */
export function describeEngine(title: string, suite: () => void): void {
  const missing = process.env["PULUMI_ENGINE_MISSING"];
  if (missing) describe.skip(`${title} (skipped: ${missing.split("\n")[0]})`, suite);
  else describe(title, suite);
}

/** A value in state or events. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** The properties of a resource, secrets in plain text. */
export type Properties = Record<string, Json>;

/** What one command of the engine did and said. */
export interface Run {
  /** Everything that the engine printed, standard output and error. */
  readonly text: string;
  readonly events: readonly EngineEvent[];
  /** What happened to each resource by its logical name: `create`, `update`, `same`, `delete`, ... */
  readonly ops: Readonly<Record<string, string>>;
}

/** Where a stack lives and what it knows. */
export interface StackOptions {
  /** `AWS_ENDPOINT_URL`. */
  readonly endpoint: string;
  /** A program of the test itself, in its own process. */
  readonly program?: PulumiFn;
  /** A whole project instead of a program: its folder in this clone, and what of it is needed. A copy of it is run. */
  readonly project?: { readonly folder: string; readonly parts: readonly string[] };
  /** More of the stack's config, keys with their namespace. */
  readonly config?: Readonly<Record<string, Json>>;
  /** More limits beside those that make nothing wait. */
  readonly limits?: Readonly<Record<string, number>>;
  /** More environment variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Folders to come first on PATH, for plugins. */
  readonly path?: readonly string[];
}

/** A stack of its own on the real engine, with a backend of plain files that goes when the test ends. */
export class TestStack {
  private constructor(
    private readonly stack: Stack,
    /** The project's folder, where the engine's own command line finds the stack. */
    readonly folder: string,
  ) {}

  /** Makes an empty stack. The caller removes it; in a suite {@link useStacks} does. */
  static async create(options: StackOptions): Promise<TestStack> {
    const cache = join(ROOT, ".cache");
    mkdirSync(cache, { recursive: true });
    // In the clone: the dynamic host resolves packages from the program's folder.
    const folder = mkdtempSync(join(cache, "test-stack-"));
    const backend = join(folder, "state");
    mkdirSync(backend);
    const config: StackSettings["config"] = {
      "iam-rotation:limits": { lagSeconds: 0, verifySpacingSeconds: 0.01, ...options.limits },
      ...options.config,
    };
    const settings = {
      envVars: {
        PATH: [...(options.path ?? []), process.env["PATH"]].join(delimiter),
        PULUMI_BACKEND_URL: pathToFileURL(backend).href,
        PULUMI_CONFIG_PASSPHRASE: "only for tests",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        AWS_ENDPOINT_URL: options.endpoint,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_CONFIG_FILE: "/dev/null",
        AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
        AWS_EC2_METADATA_DISABLED: "true",
        ...options.env,
      },
      pulumiHome: join(folder, "home"),
      stackSettings: { [STACK]: { config } },
    };
    const { project } = options;
    // The stack's settings go beside the project file, and must not stay in the clone.
    for (const part of project?.parts ?? []) {
      cpSync(join(ROOT, project?.folder ?? "", part), join(folder, part), { recursive: true });
    }
    const workspace = { workDir: folder, ...settings };
    const stack = project
      ? await LocalWorkspace.createStack({ stackName: STACK, workDir: folder }, workspace)
      : await LocalWorkspace.createStack(
          { stackName: STACK, projectName: "flow", program: options.program ?? (() => Promise.resolve()) },
          workspace,
        );
    // Flows read the state itself; these would start the engine's CLI three more times after each command.
    stack.outputs = () => Promise.resolve({});
    stack.info = () => Promise.resolve(undefined);
    return new TestStack(stack, folder);
  }

  /** `pulumi up`, with another program from now on if one is given. Throws if it fails. */
  up(program?: PulumiFn): Promise<Run> {
    if (program) this.stack.workspace.program = program;
    return this.run((options) => this.stack.up(options));
  }

  /** `pulumi up --replace` of one resource. Throws if it fails. */
  async replace(name: string): Promise<Run> {
    const replace = [await this.urnOf(name)];
    return this.run((options) => this.stack.up({ ...options, replace }));
  }

  /** `pulumi state taint` of one resource: the next `up` replaces it. */
  taint(name: string): Promise<void> {
    return this.mark("taint", name);
  }

  /** `pulumi state untaint` of one resource. */
  untaint(name: string): Promise<void> {
    return this.mark("untaint", name);
  }

  private async mark(how: "taint" | "untaint", name: string): Promise<void> {
    const { workDir, envVars, pulumiHome } = this.stack.workspace;
    const args = ["state", how, await this.urnOf(name), "--yes", "--stack", STACK];
    await promisify(execFile)("pulumi", args, {
      cwd: workDir,
      env: { ...process.env, ...envVars, PULUMI_HOME: pulumiHome },
    });
  }

  /** `pulumi preview --diff`. Throws if it fails. */
  preview(program?: PulumiFn): Promise<Run> {
    if (program) this.stack.workspace.program = program;
    return this.run((options) => this.stack.preview({ ...options, diff: true }));
  }

  /** `pulumi refresh`. Throws if it fails. */
  refresh(): Promise<Run> {
    return this.run((options) => this.stack.refresh(options));
  }

  /** `pulumi destroy`. Throws if it fails. */
  destroy(): Promise<Run> {
    return this.run((options) => this.stack.destroy(options));
  }

  /** Writes a file of the stack's project. */
  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /**
   * Types lines of shell in the project's folder, without a person to confirm and without the preview before an update.
   *
   * @returns All that was printed. Throws if one of them fails.
   */
  async type(lines: string): Promise<string> {
    const { envVars, pulumiHome } = this.stack.workspace;
    const { code, text } = await runCommand("sh", ["-euc", `${UNATTENDED}\n${lines}`], {
      cwd: this.folder,
      env: { ...process.env, ...envVars, PULUMI_HOME: pulumiHome, PULUMI_STACK: STACK },
    });
    if (code !== 0) throw new Error(`${lines}\nended with ${code}:\n${text}`);
    return text;
  }

  /** Sets the schedule's clock for the next commands: `iam-rotation:asOf`; null takes it away. */
  async asOf(instant: Date | null): Promise<void> {
    const settings = await this.stack.workspace.stackSettings(STACK);
    const { "iam-rotation:asOf": _old, ...config } = settings.config ?? {};
    await this.stack.workspace.saveStackSettings(STACK, {
      ...settings,
      config: instant ? { ...config, "iam-rotation:asOf": instant.toISOString() } : config,
    });
  }

  /** The environment of the engine's own command line for this stack. */
  environment(): NodeJS.ProcessEnv {
    return { ...process.env, ...this.stack.workspace.envVars, PULUMI_HOME: join(this.folder, "home") };
  }

  /** `pulumi config set --path`. */
  setConfig(path: string, value: string, { secret = false } = {}): Promise<void> {
    return this.stack.setConfig(path, { value, secret }, true);
  }

  /** Sets an environment variable for the next commands. */
  setEnv(name: string, value: string): void {
    this.stack.workspace.envVars[name] = value;
  }

  /** The outputs of a resource as state keeps them, secrets in plain text; undefined when it is not in state. */
  async outputsOf(name: string): Promise<Properties | undefined> {
    return (await this.outputs()).get(name);
  }

  /** The outputs of all custom resources by logical name. */
  async outputs(): Promise<Map<string, Properties>> {
    const resources = await this.custom();
    return new Map(resources.map(({ urn, outputs }) => [nameOf(String(urn)), plain(outputs ?? {}) as Properties]));
  }

  /** The logical names of the custom resources in state, providers aside. */
  async resources(): Promise<string[]> {
    return (await this.custom()).map((resource) => nameOf(String(resource["urn"])));
  }

  /** The state as it lies on the disk. */
  rawState(): { readonly resources: readonly Properties[] } {
    const stacks = join(this.folder, "state/.pulumi/stacks");
    const [project = ""] = readdirSync(stacks);
    const text = readFileSync(join(stacks, project, `${STACK}.json`), "utf8");
    return (JSON.parse(text) as { checkpoint: { latest: { resources: Properties[] } } }).checkpoint.latest;
  }

  /** Everything that the engine has written so far: state, its backups, the history, the stack's config. */
  savedText(): string {
    return readdirSync(this.folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(join(this.folder, "home")))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .join("\n");
  }

  /** Takes the stack's files away. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async urnOf(name: string): Promise<string> {
    const urn = (await this.custom()).map((resource) => String(resource["urn"])).find((each) => nameOf(each) === name);
    if (urn === undefined) throw new Error(`the stack has no resource ${name}`);
    return urn;
  }

  private async custom(): Promise<Properties[]> {
    const { deployment } = await this.stack.exportStack();
    const { resources = [] } = deployment as { resources?: Properties[] };
    return resources.filter(({ custom, type }) => custom === true && !String(type).startsWith("pulumi:providers:"));
  }

  private async run(
    command: (options: {
      color: "never";
      onEvent: (event: EngineEvent) => void;
      onOutput: (text: string) => void;
      onError: (text: string) => void;
    }) => Promise<unknown>,
  ): Promise<Run> {
    let text = "";
    const events: EngineEvent[] = [];
    const add = (more: string) => void (text += more);
    const done = () => ({ text, events, ops: opsOf(events) });
    try {
      await command({ color: "never", onEvent: (event) => void events.push(event), onOutput: add, onError: add });
    } catch (cause) {
      throw new RunError(done(), cause);
    }
    return done();
  }
}

/** A command of the engine that failed; the message is what it printed. */
export class RunError extends Error {
  constructor(
    readonly run: Run,
    cause: unknown,
  ) {
    super(`the engine's command failed:\n${run.text || String(cause)}`, { cause });
    this.name = "RunError";
  }
}

/** Waits for a command that must fail, and gives what it did and said. */
export async function failing(command: Promise<Run>): Promise<Run> {
  try {
    await command;
  } catch (error) {
    if (error instanceof RunError) return error.run;
    throw error;
  }
  throw new Error("the engine's command was to fail, and it succeeded");
}

/** To be called in a `describe`: gives a function that makes stacks, which are removed when their test has ended. */
export function useStacks(): (options: StackOptions) => Promise<TestStack> {
  const stacks: TestStack[] = [];
  afterEach(() => {
    for (const stack of stacks.splice(0)) stack.remove();
  });
  return async (options) => {
    const stack = await TestStack.create(options);
    stacks.push(stack);
    return stack;
  };
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}

function opsOf(events: readonly EngineEvent[]): Record<string, string> {
  const ops: Record<string, string> = {};
  for (const { resourcePreEvent } of events) {
    if (!resourcePreEvent) continue;
    const { op, urn, type } = resourcePreEvent.metadata;
    if (type === "pulumi:pulumi:Stack" || type.startsWith("pulumi:providers:")) continue;
    const name = nameOf(urn);
    // A replacement is three steps of one resource.
    ops[name] = name in ops ? `${ops[name]} ${op}` : op;
  }
  return ops;
}

/** Takes the engine's wrapping of secrets off. */
function plain(value: Json): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET_KEY in value) return JSON.parse(String(value["plaintext"])) as Json;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
