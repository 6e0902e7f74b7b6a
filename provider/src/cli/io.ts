import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { styleText } from "node:util";

import { ClientPool } from "../aws/clients";
import type { LifecycleContext } from "../lifecycle/context";
import { accessKeysOpener } from "../lifecycle/opener";
import { InputError, wordsOf } from "../rotation/errors";
import type { Clock } from "../rotation/ports";

/** How a part of a text is to be shown where the output is a terminal with colours. */
export type Style = "red" | "green" | "bold" | "dim";

/** What a command of Pulumi's engine said. */
export interface EngineAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Everything with an effect that the command line does. Tests hand in their own. */
export interface Io extends Pick<LifecycleContext, "clock" | "uuid"> {
  /** Writes to standard output. */
  out(text: string): void;
  /** Writes to standard error. */
  err(text: string): void;
  /** A text in a style, where standard output shows styles; else the text. */
  readonly styled: (style: Style, text: string) => string;
  /** Reads a text file; `-` is standard input. @throws InputError when it cannot be read. */
  read(file: string): Promise<string>;
  /** Writes a text file. @throws InputError when it cannot be written. */
  write(file: string, text: string): Promise<void>;
  /** Runs `pulumi` and waits for its end. @throws InputError when there is no such program. */
  pulumi(args: readonly string[], cwd: string): Promise<EngineAnswer>;
  /** Opens the access keys of a user. Loads the AWS SDK, so only called by `status --check`. */
  readonly open: LifecycleContext["open"];
}

const CLOCK: Clock = { now: () => new Date(), sleep: async (milliseconds) => void (await sleep(milliseconds)) };

/** The effects on the real machine. */
export const realIo: Io = {
  clock: CLOCK,
  uuid: () => randomUUID(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  styled: (style, text) => styleText(style, text, { stream: process.stdout }),

  async read(file) {
    try {
      return file === "-" ? await text(process.stdin) : await readFile(file, "utf8");
    } catch (cause) {
      throw fileError(`${file} cannot be read`, cause);
    }
  },

  async write(file, content) {
    try {
      await writeFile(file, content);
    } catch (cause) {
      throw fileError(`${file} cannot be written`, cause);
    }
  },

  pulumi: (args, cwd) =>
    new Promise((resolve, reject) => {
      // A state of thousands of resources is larger than what execFile takes by default.
      execFile("pulumi", [...args], { cwd, maxBuffer: Infinity }, (error, stdout, stderr) => {
        if (!error) resolve({ code: 0, stdout, stderr });
        else if (typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
        else {
          reject(
            new InputError({
              what: `\`pulumi\` could not be run in ${cwd}: ${error.message}`,
              next: "install Pulumi and have it on PATH, and give the project's folder with --cwd; or read an exported state with --file",
              cause: error,
            }),
          );
        }
      });
    }),

  open: accessKeysOpener(new ClientPool(), CLOCK),
};

function fileError(what: string, cause: unknown): InputError {
  return new InputError({ what: `${what}: ${wordsOf(cause)}`, cause });
}
