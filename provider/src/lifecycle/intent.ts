import type { CheckedInputs, RotationState } from "../contract/outputs";
import type { Intent } from "../rotation/plan";

/**
 * What an update has to do on AWS, from state and the checked inputs alone.
 *
 * @returns undefined when nothing: then the update is in place, without an AWS write.
 */
export function intentOf(state: RotationState, inputs: CheckedInputs): Exclude<Intent, "create"> | undefined {
  if (inputs.rotation.number !== state.rotation.number) return "rotate";
  if (inputs.rotation.previousKey === "inactive" && state.rotation.previousKey === "active") return "retire";
  if (state.pendingCredentials || state.unsettled || state.rotation.drift !== undefined) return "settle";
  if (!state.keys.some((key) => key.state === "current")) return "settle";
  return undefined;
}
