import { resolve } from "node:path";

import { InputError } from "../rotation/errors";
import { exportStack, type StackChoice } from "./engine";
import type { Io } from "./io";
import { rotationsIn, type RotationRecord } from "./stackState";

/** The options that say where state is read from. */
export interface SourceOptions {
  readonly stack?: readonly string[];
  readonly cwd: string;
  readonly file?: readonly string[];
}

/** A rotation, and the stack that it was read from; undefined when it was a file. */
export interface Found {
  readonly record: RotationRecord;
  readonly choice: StackChoice | undefined;
}

/**
 * Reads the rotations of the stacks, or of the files, that the options name; without any, those of the selected stack.
 *
 * @throws InputError for stacks and files together; what {@link exportStack} and {@link rotationsIn} throw.
 */
export async function findRotations(io: Io, { stack, cwd, file }: SourceOptions): Promise<Found[]> {
  if (stack && file) {
    throw new InputError({ what: "--stack and --file cannot be given together: a file is read as it is" });
  }
  if (file) {
    const texts = await Promise.all(file.map(async (name) => rotationsIn(await io.read(name), nameOf(name))));
    return texts.flat().map((record) => ({ record, choice: undefined }));
  }
  const found: Found[] = [];
  // One after the other: each starts the engine.
  for (const name of stack ?? [undefined]) {
    const choice = { stack: name, cwd: resolve(cwd) };
    const records = rotationsIn(await exportStack(io, choice), `the state of stack ${name ?? "(selected)"}`);
    found.push(...records.map((record) => ({ record, choice })));
  }
  return found;
}

const nameOf = (file: string) => (file === "-" ? "standard input" : file);
