import { ConflictError, InternalError, NotFoundError, RotationError } from "./errors";
import { handOver, withKey, withPending } from "./keyRing";
import type { Credential } from "./ports";
import { type RunContext, RunFailure, type RunRequest, type RunResult } from "./run";
import { verifyKey } from "./verify";

/**
 * Starts a rotation from a key that the user already has, instead of making one. Writes nothing: a wrong pair is an
 * error and nothing is changed.
 *
 * @throws RunFailure with an empty ring.
 */
export async function adoptKey(request: RunRequest, credential: Credential, context: RunContext): Promise<RunResult> {
  const { userName, ring, at } = request;
  const { accessKeyId } = credential;
  const { aws, clock, limits } = context;
  try {
    const [user, listed] = await Promise.all([aws.user(), aws.list()]);
    if (!user || !listed) {
      throw new NotFoundError({ what: `IAM user ${userName} does not exist in the account of this connection` });
    }
    const key = listed.find((candidate) => candidate.accessKeyId === accessKeyId);
    if (key?.status !== "Active") {
      throw new ConflictError({
        what: `adopt: access key ${accessKeyId} is ${key ? key.status : `not a key of IAM user ${userName}`}`,
        next: `give an Active key of the user; its keys: ${listed.map((other) => `${other.accessKeyId} (${other.status})`).join(", ") || "none"}`,
        details: { userName, accessKeyId },
      });
    }
    await verifyKey(aws, credential, user, clock, limits);
    const adopted = withKey(withPending(ring, credential, key.createdAt), accessKeyId, {
      verifiedAt: clock.now().toISOString(),
    });
    return { ring: handOver(adopted, at, []), user, heldBack: [] };
  } catch (error) {
    throw new RunFailure(
      error instanceof RotationError
        ? error
        : new InternalError({
            what: `adopting access key ${accessKeyId} of IAM user ${userName} failed`,
            cause: error,
          }),
      ring,
      undefined,
    );
  }
}
