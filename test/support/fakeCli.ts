import type { EngineAnswer, Io } from "../../provider/src/cli/io";
import { runCli } from "../../provider/src/cli/program";
import { RESOURCE_TYPE } from "../../provider/src/contract/resourceType";
import { SECRET_OUTPUTS } from "../../provider/src/contract/outputs";
import { InputError } from "../../provider/src/rotation/errors";
import { FakeStack } from "./fakeStack";

const SECRET_KEY = "4dabf18193072939515e22adb298388d";
const SECRET = { [SECRET_KEY]: "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:sealed" };

/** How a command of the command line ended, and what it said. */
export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A resource as exported state holds it. */
export interface ExportedResource {
  readonly urn: string;
  readonly type: string;
  readonly id: string;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly delete?: boolean;
}

/** A rotation's resource in exported state, its secrets encrypted. */
export function exported(stack: FakeStack, name = "ci-bot", stackName = "dev"): ExportedResource {
  if (!stack.resource) throw new Error("the stack has no resource");
  const { id, state } = stack.resource;
  return {
    urn: `urn:pulumi:${stackName}::platform::${RESOURCE_TYPE}::${name}`,
    type: RESOURCE_TYPE,
    id,
    outputs: { ...state, ...Object.fromEntries(SECRET_OUTPUTS.map((output) => [output, SECRET])) },
  };
}

/** What `pulumi stack export` prints. */
export function exportOf(resources: readonly object[], pending: readonly object[] = []): string {
  return JSON.stringify({ version: 3, deployment: { resources, pending_operations: pending } });
}

/** The command line with an engine, a file system and an AWS in memory. */
export class FakeCli {
  /** Exported state by stack; "" is the selected one. */
  readonly stacks = new Map<string, string>();
  /** Files, `-` among them. */
  readonly files = new Map<string, string>();
  /** The stack's config, by key. */
  readonly config = new Map<string, { readonly value: string; readonly secret?: boolean }>();
  /** What the engine was asked, without the stack. */
  readonly asked: string[] = [];

  /** @param stack Gives the clock and the AWS accounts. */
  constructor(readonly stack: FakeStack = new FakeStack()) {}

  async run(...args: string[]): Promise<CliRun> {
    let out = "";
    let err = "";
    const io: Io = {
      clock: this.stack.clock,
      uuid: () => this.stack.uuid(),
      open: (target) => this.stack.open(target),
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      styled: (_style, text) => text,
      read: (file) => {
        const text = this.files.get(file);
        return text === undefined
          ? Promise.reject(new InputError({ what: `${file} cannot be read` }))
          : Promise.resolve(text);
      },
      write: (file, text) => Promise.resolve(void this.files.set(file, text)),
      pulumi: (given) => Promise.resolve(this.answer(given)),
    };
    const code = await runCli(args, "1.2.3", io);
    return { code, out, err };
  }

  private answer(args: readonly string[]): EngineAnswer {
    const at = args.indexOf("--stack");
    const stack = at < 0 ? "" : (args[at + 1] ?? "");
    const command = args.slice(0, at < 0 ? args.indexOf("--non-interactive") : at).join(" ");
    this.asked.push(command);
    const said = this.said(command, stack);
    return said === undefined
      ? { code: 6, stdout: "", stderr: `error: no stack named '${stack}' found\n` }
      : { code: 0, stdout: said, stderr: "" };
  }

  private said(command: string, stack: string): string | undefined {
    if (command === "stack export") return this.stacks.get(stack);
    if (command === "config --json") {
      const shown = [...this.config].map(([key, { value, secret }]) => [key, secret ? { secret } : { value }]);
      return JSON.stringify(Object.fromEntries(shown));
    }
    return this.config.get(command.replace("config get ", ""))?.value;
  }
}
