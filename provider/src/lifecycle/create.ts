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
    rotationId: id,
    owner: inputs.owner,
    jobId: session.jobId,
    userName: inputs.parameters.userName,
    region: session.region,
    connection: session.connection,
    policy: inputs.previousKey,
    ring: EMPTY_RING,
    generation: undefined,
    createdAt: session.settings.now.toISOString(),
    user: undefined,
    at: inputs.rotation.at,
    now: session.settings.now,
  };
  try {
    const result = inputs.adopt ? await adoptKey(request, inputs.adopt, session) : await runRotation(request, session);
    return { id, state: firstState(inputs, session, { ...result, status: "success", message: result.warning }) };
  } catch (failure) {
    if (!(failure instanceof RunFailure)) throw failure;
    const { ring, user, generation, hasWritten } = failure;
    // Thrown with an id before there is a key, a forced replacement would mark the old resource for deletion.
    if (!ring.pendingCredentials || !user) {
      throw failure.error.withSituation({
        now: hasWritten
          ? "no key was handed out, and none is in state; the user's tag iam-rotation tells the next run what this one left"
          : "nothing was changed",
        next: "run `pulumi up` again",
        reqId: session.jobId,
      });
    }
    const error = failure.error.withSituation({
      now: `state keeps the new key: ${describeKeys(ring)}; nobody was given it yet`,
      next: "run `pulumi up` again: it goes on with this key",
      reqId: session.jobId,
    });
    const outcome = { ring, user, generation: generation ?? 1, status: "failed", message: error.message } as const;
    throw new PartialFailure(id, firstState(inputs, session, outcome), error);
  }
}

interface Outcome {
  readonly ring: KeyRing;
  readonly user: Identity;
  readonly generation: number;
  readonly status: "success" | "failed";
  readonly message: string | undefined;
  readonly unsettled?: string | undefined;
}

function firstState(inputs: CheckedInputs, session: Session, outcome: Outcome): RotationState {
  const now = session.settings.now.toISOString();
  return composeState({
    inputs,
    connection: session.connection,
    user: outcome.user,
    ring: outcome.ring,
    events: {
      createdAt: now,
      updatedAt: now,
      rotationStatus: outcome.status,
      lastRotationAttemptedAt: now,
      lastRotatedAt: inputs.rotation.at,
      lastRotationJobId: session.jobId,
      isLastRotationManual: true,
      lastRotationMessage: outcome.message ?? null,
      rotation: inputs.rotation,
      nextRotationAt: inputs.nextRotationAt,
      generation: outcome.generation,
      unsettled: outcome.unsettled ?? null,
    },
  });
}
