import { findConnection } from "../aws/connections";
import { type CheckedInputs, composeState, describeKeys, ringOf, type RotationState } from "../contract/outputs";
import { NotFoundError } from "../rotation/errors";
import type { InUse } from "../rotation/gate";
import { otherUserFailure } from "../rotation/refusals";
import { RunFailure, runRotation } from "../rotation/run";
import type { Rotation } from "../rotation/schedule";
import type { LifecycleContext } from "./context";
import { intentOf } from "./intent";
import { PartialFailure } from "./partialFailure";
import { openSession, userOf } from "./session";
import { readSettings } from "./settings";

/**
 * Does what is due: a rotation, the retirement of the previous key, putting state right; else changes in place, without
 * an AWS write.
 *
 * @throws PartialFailure with the old inputs and all that is known of the keys.
 */
export async function update(
  id: string,
  state: RotationState,
  inputs: CheckedInputs,
  context: LifecycleContext,
): Promise<RotationState> {
  const intent = intentOf(state, inputs);
  if (intent === undefined) return updateInPlace(id, state, inputs, context);

  const session = await openSession(id, inputs, context, { writes: true });
  const now = session.settings.now.toISOString();
  try {
    const result = await runRotation(
      {
        intent,
        rotationId: id,
        owner: inputs.owner,
        jobId: session.jobId,
        userName: inputs.parameters.userName,
        region: session.region,
        connection: session.connection,
        policy: inputs.previousKey,
        ring: ringOf(state),
        generation: state.generation,
        createdAt: state.createdAt,
        user: userOf(state),
        at: inputs.rotation.at,
        now: session.settings.now,
      },
      session,
    );
    const isRotated = result.ring.generatedCredentials !== state.generatedCredentials;
    const { heldBack, warning } = result;
    const waiting = heldBack.map(describeHeldBack);
    for (const message of waiting) context.log(`${inputs.name}: ${message}`);
    const messages = [...waiting, ...(warning ? [warning] : [])];
    return composeState({
      inputs,
      connection: session.connection,
      user: result.user,
      ring: result.ring,
      events: {
        createdAt: state.createdAt,
        updatedAt: now,
        rotationStatus: "success",
        lastRotationAttemptedAt: isRotated ? now : state.lastRotationAttemptedAt,
        lastRotatedAt: isRotated ? inputs.rotation.at : state.lastRotatedAt,
        lastRotationJobId: isRotated ? session.jobId : state.lastRotationJobId,
        isLastRotationManual: isRotated ? inputs.rotation.manual : state.isLastRotationManual,
        lastRotationMessage: messages.join("; ") || null,
        // Left "active" where it was held back, so that each update tries again.
        rotation: heldBack.length > 0 ? { ...inputs.rotation, previousKey: "active" } : rotationOf(state, inputs),
        nextRotationAt: inputs.nextRotationAt,
        generation: result.generation,
        unsettled: result.unsettled ?? null,
      },
    });
  } catch (failure) {
    if (!(failure instanceof RunFailure)) throw failure;
    const { ring, generation } = failure;
    const error = failure.error.withSituation({
      now: `${describeKeys(ring)}; consumers keep ${state.accessKeyId ?? "no key"}`,
      next: "run `pulumi up` again",
      reqId: session.jobId,
    });
    // The old inputs and the old anchor: the engine keeps the old inputs too, so what was due stays due.
    const failed = composeState({
      inputs: state,
      connection: state.connection,
      user: { arn: state.userArn, userId: state.userId },
      ring,
      events: {
        ...eventsOf(state),
        rotationStatus: "failed",
        lastRotationAttemptedAt: now,
        lastRotationJobId: session.jobId,
        lastRotationMessage: error.message,
        generation: generation ?? state.generation,
      },
    });
    throw new PartialFailure(id, failed, error);
  }
}

async function updateInPlace(
  id: string,
  state: RotationState,
  inputs: CheckedInputs,
  context: LifecycleContext,
): Promise<RotationState> {
  const { userName } = inputs.parameters;
  const settings = readSettings(context);
  const connection = findConnection(settings.connections, inputs.connectionId);
  if (inputs.connectionId !== state.connectionId) {
    const session = await openSession(id, inputs, context, { writes: false });
    const user = await session.aws.user();
    if (!user) {
      throw new NotFoundError({
        what: `connectionId reaches an account that has no IAM user ${userName}; this rotation's keys belong to ${state.userArn}`,
        now: "nothing was changed",
        next: "go back to a connection of the old account",
      });
    }
    const failure = otherUserFailure(userOf(state), user, userName);
    if (failure) throw failure;
  }
  return composeState({
    inputs,
    connection,
    user: { arn: state.userArn, userId: state.userId },
    ring: ringOf(state),
    events: {
      ...eventsOf(state),
      // Not the schedule's clock: nothing keeps this from a real AWS.
      updatedAt: context.clock.now().toISOString(),
      rotation: rotationOf(state, inputs),
      nextRotationAt: inputs.nextRotationAt,
    },
  });
}

/** The anchor to save. A previous key that was retired stays so, whatever becomes of `deactivateAfterHours`. */
function rotationOf(state: RotationState, { rotation }: CheckedInputs): Rotation {
  const isRetired = state.rotation.number === rotation.number && state.rotation.previousKey === "inactive";
  return isRetired ? { ...rotation, previousKey: "inactive" } : rotation;
}

function eventsOf(state: RotationState) {
  const { createdAt, updatedAt, rotationStatus, lastRotationAttemptedAt, lastRotatedAt, lastRotationJobId } = state;
  const { isLastRotationManual, lastRotationMessage, rotation, nextRotationAt, generation, unsettled } = state;
  return {
    createdAt,
    updatedAt,
    rotationStatus,
    lastRotationAttemptedAt,
    lastRotatedAt,
    lastRotationJobId: lastRotationJobId ?? null,
    isLastRotationManual,
    lastRotationMessage: lastRotationMessage ?? null,
    rotation,
    nextRotationAt: nextRotationAt ?? null,
    generation,
    unsettled: unsettled ?? null,
  };
}

function describeHeldBack({ accessKeyId, reason, until }: InUse): string {
  return `the previous key ${accessKeyId} stays active, it counts as in use${until ? ` until ${until}` : ""}: ${reason}`;
}
