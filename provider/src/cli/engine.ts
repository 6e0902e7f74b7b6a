import { z } from "zod";

import { InternalError } from "../rotation/errors";
import type { Io } from "./io";

/** Which stack, of the project in which folder. */
export interface StackChoice {
  /** The stack's name; undefined for the one that is selected. */
  readonly stack: string | undefined;
  /** The project's folder. */
  readonly cwd: string;
}

const configSchema = z.record(z.string(), z.object({ value: z.string().optional(), secret: z.boolean().optional() }));

/** The stack's state as `pulumi stack export` prints it: secrets stay encrypted. @throws InternalError when it fails. */
export function exportStack(io: Io, choice: StackChoice): Promise<string> {
  return run(io, choice, ["stack", "export"]);
}

/**
 * The stack's config of this package. Nothing is decrypted but what is asked for by name: of a secret value that one
 * alone is, and only if it is one of those that `wanted` names.
 *
 * @throws InternalError when the engine fails.
 */
export async function configOf(
  io: Io,
  choice: StackChoice,
  wanted: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const config = configSchema.parse(JSON.parse(await run(io, choice, ["config", "--json"])));
  const values = new Map<string, string>();
  for (const key of wanted) {
    const entry = config[key];
    const value = entry?.secret ? (await run(io, choice, ["config", "get", key])).trimEnd() : entry?.value;
    if (value !== undefined) values.set(key, value);
  }
  return values;
}

async function run(io: Io, { stack, cwd }: StackChoice, command: readonly string[]): Promise<string> {
  const args = [...command, ...(stack === undefined ? [] : ["--stack", stack]), "--non-interactive"];
  const { code, stdout, stderr } = await io.pulumi(args, cwd);
  if (code === 0) return stdout;
  // Its standard output may hold what was asked for; its errors name stacks and keys only.
  throw new InternalError({
    what: `\`pulumi ${args.join(" ")}\` in ${cwd} failed: ${stderr.trim() || `exit code ${code}`}`,
    next: "give the project's folder with --cwd and the stack with --stack; log in with `pulumi login` where the state is",
    details: { code },
  });
}
