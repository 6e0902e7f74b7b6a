import type { RotationState } from "../contract/outputs";
import type { RotationError } from "../rotation/errors";

/**
 * A failure after which state must be saved all the same, because it knows a key or a failure that nothing else knows.
 * The host hands it to Pulumi as an initialization failure: the next `up` goes on from the saved state.
 */
export class PartialFailure extends Error {
  constructor(
    /** The resource id. */
    readonly id: string,
    /** What to save. */
    readonly state: RotationState,
    /** What went wrong. */
    readonly error: RotationError,
  ) {
    super(error.message, { cause: error });
    this.name = "PartialFailure";
  }
}
