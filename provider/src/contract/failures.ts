import { distance } from "fastest-levenshtein";
import type { z } from "zod";

/** One thing that is wrong with an input: where, and why. Never holds the value: it could be a secret. */
export interface InputFailure {
  /** The property's path as a person writes it, for example `parameters.userName`. */
  readonly path: string;
  /** What is wrong and what is right, without the value. */
  readonly reason: string;
}

/** Gives a failure as one line, the path at its head. */
export function formatFailure(failure: InputFailure): string {
  return `${failure.path}: ${failure.reason}`;
}

/** Writes a path of keys and indexes as a person does: `previousKey.quietHours`, `keys[0]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`))
    .join("");
}

/** The nearest of the known names, or undefined when none is near enough to be a slip of the pen. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined;
}

/** The reason given for a property that nobody knows. */
export function unknownPropertyReason(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest
    ? `is not a known property; did you mean "${nearest}"?`
    : `is not a known property; known here: ${known.join(", ")}`;
}

const TYPE_NAMES: Record<string, string> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
};

/**
 * Turns the issues of a zod parse into failures.
 *
 * @param issues What zod found.
 * @param knownProperties Gives the names that are known at a path, for the nearest one to an unknown name.
 */
export function failuresOf(
  issues: readonly z.core.$ZodIssue[],
  knownProperties: (path: string) => readonly string[],
): InputFailure[] {
  return issues.flatMap((issue) => {
    const path = formatPath(issue.path);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: formatPath([...issue.path, key]),
        reason: unknownPropertyReason(key, knownProperties(path)),
      }));
    }
    return [{ path, reason: reasonOf(issue) }];
  });
}

function reasonOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      if (issue.origin !== "string") return `must be at least ${issue.minimum}`;
      return issue.minimum === 1 ? "must not be empty" : `must have at least ${issue.minimum} characters`;
    case "too_big":
      return issue.origin === "string"
        ? `must have at most ${issue.maximum} characters`
        : `must be at most ${issue.maximum}`;
    default:
      // Only our own texts come here: they are written without the value.
      return issue.message;
  }
}
