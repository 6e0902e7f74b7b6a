import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

import { endWithUs } from "./endWithUs";

/** How long the rest of what a command printed is waited for, after its end. */
const REST_MS = 500;

/** A command that has ended. */
export interface Command {
  /** 0 when it succeeded; null when it was killed. */
  readonly code: number | null;
  /** What it printed, standard output and error. */
  readonly text: string;
}

/** How a command is started. */
export interface CommandOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Told of its process when it has started. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs a command to its end; it ends with this process, should nobody wait for it. */
export async function runCommand(
  command: string,
  args: readonly string[],
  { cwd, env, onStart }: CommandOptions,
): Promise<Command> {
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  onStart?.(child);
  endWithUs(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (more: string) => (text += more));
  const closed = once(child, "close");
  const [code] = (await once(child, "exit")) as [number | null];
  // What it printed last may still be on its way. But a provider that outlives its engine holds the pipes open.
  await Promise.race([closed, delay(REST_MS, undefined, { ref: false })]);
  return { code, text };
}
