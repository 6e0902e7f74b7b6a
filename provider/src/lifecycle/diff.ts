import { isDeepStrictEqual } from "node:util";

import { type CheckedInputs, inputsOf, type RotationState } from "../contract/outputs";
import type { LifecycleContext } from "./context";
import { intentOf } from "./intent";

/** Whether an update is due, and whether it must be a replacement. */
export interface DiffResult {
  readonly changes: boolean;
  /** The inputs that force a replacement. */
  readonly replaces: readonly string[];
}

/**
 * Compares state with the checked inputs. Pure but for a line that it tells: it never calls AWS and decides nothing
 * by the clock.
 *
 * @param state The old outputs.
 * @param inputs What `check` returned.
 */
export function diff(state: RotationState, inputs: CheckedInputs, context: Pick<LifecycleContext, "log">): DiffResult {
  const replaces = state.parameters?.userName === inputs.parameters?.userName ? [] : ["parameters"];
  const intent = intentOf(state, inputs);
  // A preview's summary shows no values: without this only `--diff` would tell why.
  if (intent === "rotate") context.log(`${state.name}: a new access key is to be made: ${inputs.rotation.reason}`);
  if (intent === "retire" && state.lastRotationMessage) {
    context.log(`${state.name}: ${state.lastRotationMessage}; trying again`);
  }
  return { changes: replaces.length > 0 || intent !== undefined || !isSame(state, inputs), replaces };
}

/** Whether an update would leave all inputs as they are; the rotation's own moves are told by the intent. */
function isSame(state: RotationState, inputs: CheckedInputs): boolean {
  const { rotation: _old, ...before } = inputsOf(state);
  const { rotation: _new, ...after } = inputsOf(inputs);
  return isDeepStrictEqual(before, after);
}
