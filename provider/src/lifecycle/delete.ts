import { describeKeys, ringOf, type RotationState } from "../contract/outputs";
import { InternalError, RotationError } from "../rotation/errors";
import { withoutKey } from "../rotation/keyRing";
import type { LifecycleContext } from "./context";
import { assertSameAccount } from "./read";
import { openSession } from "./session";

/**
 * Deletes the keys of this rotation, each by its id, and no other. Already gone is success. With
 * `revokeGeneratedCredentials: false` it leaves them and calls nothing.
 *
 * @throws RotationError; the resource stays in state then, and the next destroy goes on.
 */
export async function deleteRotation(id: string, state: RotationState, context: LifecycleContext): Promise<void> {
  if (!state.revokeGeneratedCredentials) return;
  const session = await openSession(id, state, context, { writes: false });
  let ring = ringOf(state);
  try {
    for (const { accessKeyId } of ring.keys) {
      const wasThere = await session.aws.delete(accessKeyId);
      // In another account every key looks gone.
      if (!wasThere) await assertSameAccount(state, session);
      ring = withoutKey(ring, accessKeyId);
    }
  } catch (cause) {
    const error =
      cause instanceof RotationError
        ? cause
        : new InternalError({ what: `deleting the keys of ${state.userArn} failed`, cause });
    throw error.withSituation({
      now: `${describeKeys(ring)}; keys already deleted stay deleted`,
      next: "run it again: what is already gone counts as done",
      reqId: session.jobId,
    });
  }
}
