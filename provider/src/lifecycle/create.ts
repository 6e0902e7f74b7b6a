import { rotationId } from "../contract/ids";
import { type CheckedInputs, composeState, describeKeys, type RotationState } from "../contract/outputs";
import { adoptKey } from "../rotation/adopt";
import { EMPTY_RING, type KeyRing } from "../rotation/keyRing";
import type { Identity } from "../rotation/ports";
import { RunFailure, runRotation } from "../rotation/run";
import type { LifecycleContext } from "./context";
import { PartialFailure } from "./partialFailure";
import { openSession, type Session } from "./session";

/**
 * Makes (or adopts) the first key, verifies it, and gives the state.
 *
 * @throws RotationError when nothing was made: nothing is saved then. PartialFailure once a key was made.
 */
export async function create(
  inputs: CheckedInputs,
  context: LifecycleContext,
): Promise<{ readonly id: string; readonly state: RotationState }> {
  const id = rotationId(inputs.owner, inputs.parameters.userName);
  const session = await openSession(id, inputs, context, { writes: true });
  const request = {
    intent: "create" as const,
    userName: inputs.parameters.userName,
    region: session.region,
    policy: inputs.previousKey,
    ring: EMPTY_RING,
    user: undefined,
    at: inputs.rotation.at,
    now: session.settings.now,
  };
  try {
    const { ring, user } = inputs.adopt
      ? await adoptKey(request, inputs.adopt, session)
      : await runRotation(request, session);
    return { id, state: firstState(inputs, session, ring, user, null) };
  } catch (failure) {
    if (!(failure instanceof RunFailure)) throw failure;
    const { ring, user } = failure;
    // Thrown with an id before there is a key, a forced replacement would mark the old resource for deletion.
    if (!ring.pendingCredentials || !user) {
      throw failure.error.withSituation({
        now: "nothing was changed",
        next: "run `pulumi up` again",
        reqId: session.jobId,
      });
    }
    const error = failure.error.withSituation({
      now: `state keeps the new key: ${describeKeys(ring)}; nobody was given it yet`,
      next: "run `pulumi up` again: it goes on with this key",
      reqId: session.jobId,
    });
    throw new PartialFailure(id, firstState(inputs, session, ring, user, error.message), error);
  }
}

function firstState(
  inputs: CheckedInputs,
  session: Session,
  ring: KeyRing,
  user: Identity,
  failure: string | null,
): RotationState {
  const now = session.settings.now.toISOString();
  return composeState({
    inputs,
    connection: session.connection,
    user,
    ring,
    events: {
      createdAt: now,
      updatedAt: now,
      rotationStatus: failure === null ? "success" : "failed",
      lastRotationAttemptedAt: now,
      lastRotatedAt: inputs.rotation.at,
      lastRotationJobId: session.jobId,
      isLastRotationManual: true,
      lastRotationMessage: failure,
      rotation: inputs.rotation,
      nextRotationAt: inputs.nextRotationAt,
      unsettled: null,
    },
  });
}
