import { asRotationError, ConflictError, RotationError } from "./errors";
import { handOver, withKey, withLeftovers, withPending } from "./keyRing";
import { untagCommand } from "./ledger";
import { awsNow, type RunContext } from "./observe";
import type { Credential } from "./ports";
import {
  keeperOf,
  nextGeneration,
  NO_LEDGER,
  observeForWriting,
  RunFailure,
  type RunRequest,
  type RunResult,
} from "./run";
import { verifyKey } from "./verify";

/**
 * Starts a rotation from a key that the user already has, instead of making one. A wrong pair is an error and nothing is
 * changed; a right one is written into the ledger.
 *
 * @throws RunFailure with an empty ring.
 */
export async function adoptKey(request: RunRequest, credential: Credential, context: RunContext): Promise<RunResult> {
  const { userName, ring, at } = request;
  const { accessKeyId } = credential;
  const { aws, clock, limits } = context;
  try {
    const observation = await observeForWriting(request, context);
    const { user, listed, ledger, leftovers } = observation;
    const key = listed.find((candidate) => candidate.accessKeyId === accessKeyId);
    if (key?.status !== "Active") {
      throw new ConflictError({
        what: `adopt: access key ${accessKeyId} is ${key ? key.status : `not a key of IAM user ${userName}`}`,
        next: `give an Active key of the user; its keys: ${listed.map((other) => `${other.accessKeyId} (${other.status})`).join(", ") || "none"}`,
        details: { userName, accessKeyId },
      });
    }
    if (ledger?.keys.includes(accessKeyId)) {
      throw new ConflictError({
        what: `adopt: access key ${accessKeyId} of IAM user ${userName} is a key of this rotation already, by the user's tag: if this replaces the resource (\`--replace\`, or tainted), the old one would take the key with it`,
        now: "nothing was changed",
        next: [
          "take `adopt` out of the program, and drop --replace or `pulumi state untaint`",
          `If state has no such rotation (an adoption was killed, or state was lost): \`${untagCommand(userName)}\`, then run \`pulumi up\` again`,
        ].join("\n"),
        details: { userName, accessKeyId },
      });
    }
    const milliseconds = await verifyKey(aws, credential, user, clock, limits).catch((error: unknown) => {
      const next = "correct adopt.accessKeyId and adopt.secretAccessKey, then run `pulumi up` again";
      throw error instanceof RotationError
        ? error.withSituation({ now: "nothing was changed", next, reqId: request.jobId })
        : error;
    });
    context.tell({ kind: "verified", accessKeyId, milliseconds });
    // As in a creation: one of them may have been current until now, before a forced replacement.
    const others = leftovers
      .filter((leftover) => leftover.accessKeyId !== accessKeyId)
      .map((leftover) => ({ ...leftover, retiredAt: at }));
    const adopted = withKey(withPending(withLeftovers(ring, others), credential, key.createdAt), accessKeyId, {
      verifiedAt: new Date(awsNow(context)).toISOString(),
      verifiedIn: request.region,
    });
    const result = handOver(adopted, at, []);
    const generation = nextGeneration(request.generation, ledger);
    const isWritten = await keeperOf(request, generation, observation, context, "takeover").settle(result);
    return {
      ring: result,
      user,
      generation,
      heldBack: [],
      warning: isWritten ? undefined : NO_LEDGER,
      unsettled: undefined,
    };
  } catch (error) {
    throw new RunFailure(
      asRotationError(error, `adopting access key ${accessKeyId} of IAM user ${userName}`),
      ring,
      undefined,
      undefined,
    );
  }
}
