import { z } from "zod";

import { type Connections, parseConnections } from "../aws/connections";
import { failuresOf, formatFailure } from "../contract/failures";
import { InputError } from "../rotation/errors";
import type { Limits } from "../rotation/ports";
import type { LifecycleContext } from "./context";

/** The stack's config of this package, under `iam-rotation:`. */
export interface Settings {
  readonly connections: Connections;
  readonly limits: Limits;
  /** The schedule's clock: `iam-rotation:asOf` where it is set, else the real time. */
  readonly now: Date;
  /** Whether `now` is `iam-rotation:asOf`: then nothing is written to an AWS that is not on this machine. */
  readonly isAsOf: boolean;
}

// `pulumi config set --path` stores a fraction as text.
const seconds = (fallback: number) =>
  z
    .preprocess(
      (value) => (typeof value === "string" && value.trim() !== "" ? Number(value) : value),
      z.number("must be a number of seconds").min(0),
    )
    .default(fallback);

const limitsShape = {
  callSeconds: seconds(60),
  lagSeconds: seconds(90),
  verifySeconds: seconds(120),
  verifySpacingSeconds: seconds(2),
  rotationSeconds: seconds(300),
};
const limitsSchema = z.strictObject(limitsShape);

// An instant needs an offset: without one it would mean another moment on every machine.
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Reads the stack's config. It is read in each method: the host does not wait until it is configured.
 *
 * @throws InputError that names the config path.
 */
export function readSettings(context: Pick<LifecycleContext, "config" | "clock">): Settings {
  const asOf = context.config("iam-rotation:asOf");
  return {
    connections: parseConnections(context.config("iam-rotation:connections")),
    limits: parseLimits(context.config("iam-rotation:limits")),
    now: asOf === undefined ? context.clock.now() : parseAsOf(asOf),
    isAsOf: asOf !== undefined,
  };
}

function parseLimits(text: string | undefined): Limits {
  let raw: unknown;
  try {
    raw = text === undefined ? {} : JSON.parse(text);
  } catch {
    raw = text;
  }
  const result = limitsSchema.safeParse(raw);
  if (result.success) return result.data;
  const failures = failuresOf(result.error.issues, () => Object.keys(limitsShape));
  throw new InputError({
    what: failures
      .map(({ path, reason }) =>
        formatFailure({ path: ["iam-rotation:limits", path].filter(Boolean).join("."), reason }),
      )
      .join("\n"),
    now: "nothing was changed",
    next: "correct it with `pulumi config set --path iam-rotation:limits.NAME SECONDS`",
  });
}

function parseAsOf(text: string): Date {
  const date = new Date(text);
  if (INSTANT.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new InputError({
    what: "iam-rotation:asOf: must be an instant with its offset, as in 2027-03-01T00:00:00Z",
    now: "nothing was changed",
    next: "`pulumi config set iam-rotation:asOf 2027-03-01T00:00:00Z`, or `pulumi config rm iam-rotation:asOf`",
  });
}
