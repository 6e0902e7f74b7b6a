import { isDeepStrictEqual } from "node:util";

import { findConnection } from "../aws/connections";
import { formatFailure, type InputFailure } from "../contract/failures";
import { parseInputs, type RotationInputs } from "../contract/inputs";
import type { CheckedInputs } from "../contract/outputs";
import { containsUnknown, UNKNOWN } from "../contract/unknown";
import { InputError } from "../rotation/errors";
import { advanceRotation, firstRotation, nextRotationAt, type Rotation } from "../rotation/schedule";
import type { LifecycleContext } from "./context";
import { readSettings } from "./settings";

/** The inputs that `check` computes; a program gives them only where `ignoreChanges` hands back old ones. */
const COMPUTED = ["rotation", "nextRotationAt"] as const;

/** What `check` gives: the inputs, or every failure as a line with the property's path at its head. */
export type CheckResult =
  | { readonly inputs: CheckedInputs; readonly failures: readonly [] }
  | { readonly inputs?: undefined; readonly failures: readonly string[] };

/**
 * Validates the inputs, fills in defaults, and decides what is due. Never calls AWS. The only method that reads the
 * schedule's clock: `diff` and `update` follow what is decided here.
 *
 * @param olds The old inputs as an earlier check returned them; empty for a new resource and for a replacement.
 * @param news The program's inputs.
 */
export function check(
  olds: Record<string, unknown>,
  news: Record<string, unknown>,
  context: Pick<LifecycleContext, "config" | "clock">,
): CheckResult {
  const old = olds["rotation"] === undefined ? undefined : (olds as unknown as CheckedInputs);
  const given = { ...news };
  const failures: InputFailure[] = [];
  for (const name of COMPUTED) {
    if (given[name] !== undefined && !isDeepStrictEqual(given[name], olds[name])) {
      failures.push({ path: name, reason: "is computed from the schedule; leave it out" });
    }
    delete given[name];
  }
  const parsed = parseInputs(given);
  failures.push(...parsed.failures);

  const lines = failures.map(formatFailure);
  try {
    const settings = readSettings(context);
    // From the raw inputs, so that an unknown connection is told along with all other failures.
    const { connectionId } = given;
    const isUuid = typeof connectionId === "string" && !failures.some(({ path }) => path === "connectionId");
    if (isUuid && connectionId !== UNKNOWN) findConnection(settings.connections, connectionId);
    if (parsed.inputs && lines.length === 0) {
      return { inputs: withSchedule(old, parsed.inputs, settings.now), failures: [] };
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    lines.push(error.message);
  }
  return { failures: lines };
}

function withSchedule(old: CheckedInputs | undefined, inputs: RotationInputs, now: Date): CheckedInputs {
  const rotation: Rotation = old ? advanceRotation(old, inputs, now) : firstRotation(now);
  // Once the resource exists its key is adopted; the secret need not stay in the inputs.
  const { adopt, ...rest } = inputs;
  const { isAutoRotationEnabled, rotationInterval, rotateAtUtc } = inputs;
  return {
    ...rest,
    ...(!old && adopt && { adopt }),
    rotation,
    nextRotationAt: containsUnknown([isAutoRotationEnabled, rotationInterval, rotateAtUtc])
      ? UNKNOWN
      : nextRotationAt(inputs, rotation),
  };
}
