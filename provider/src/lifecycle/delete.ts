import { describeKeys, ringOf, type RotationState } from "../contract/outputs";
import { destroyKeys } from "../rotation/destroy";
import { asRotationError } from "../rotation/errors";
import { LEDGER_TAG, OWNER_TAG, untagCommand } from "../rotation/ledger";
import type { LifecycleContext } from "./context";
import { assertSameAccount } from "./read";
import { openSession } from "./session";

/**
 * Deletes the keys of this rotation, each by its id, and no other. Already gone is success. With
 * `revokeGeneratedCredentials: false` it leaves them and takes only its tags away.
 *
 * @throws RotationError; the resource stays in state then, and the next destroy goes on.
 */
export async function deleteRotation(id: string, state: RotationState, context: LifecycleContext): Promise<void> {
  const session = await openSession(id, state, context, { writes: false });
  let ring = ringOf(state);
  try {
    const { userName } = state.parameters;
    const { isUntagged } = await destroyKeys(
      {
        rotationId: id,
        userName,
        region: session.region,
        ring,
        generation: state.generation,
        createdAt: state.createdAt,
        userId: state.userId,
        revoke: state.revokeGeneratedCredentials,
      },
      session,
      async (left, wasThere) => {
        // In another account every key, and the user, look gone.
        if (!wasThere) await assertSameAccount(state, session);
        ring = left;
      },
    );
    if (!isUntagged) {
      context.log(
        `the tags ${LEDGER_TAG} and ${OWNER_TAG} of IAM user ${userName} may not be taken away (iam:UntagUser), and keep every other rotation from it; by hand: ${untagCommand(userName)}`,
      );
    }
  } catch (cause) {
    throw asRotationError(cause, `deleting the keys of ${state.userArn}`).withSituation({
      now: `${describeKeys(ring)}; keys already deleted stay deleted`,
      next: "run it again: what is already gone counts as done",
      reqId: session.jobId,
    });
  }
}
