import { ConflictError, InternalError, RotationError, UnauthorizedError } from "./errors";
import type { Clock, Credential, Identity, Limits, UserAccessKeys } from "./ports";

/** Passes in a row that a key needs: propagation is not monotonic, so one pass proves nothing. */
export const PASSES_IN_A_ROW = 3;

/** Calls in one pass, at the same time: each goes to whatever server takes it, and all of them must know the key. */
export const CALLS_IN_A_PASS = 3;

/**
 * Waits until a key works: {@link PASSES_IN_A_ROW} passes in a row, spaced, each of {@link CALLS_IN_A_PASS} calls on
 * connections of their own, within the budget. A failed call starts the count again.
 *
 * @param user Whose key it must be.
 * @returns How long it took; milliseconds.
 * @throws ConflictError when the key belongs to somebody else; UnauthorizedError when AWS says that the secret is
 * wrong; InternalError when the budget is spent.
 */
export async function verifyKey(
  aws: Pick<UserAccessKeys, "identify">,
  credential: Credential,
  user: Identity,
  clock: Clock,
  limits: Limits,
): Promise<number> {
  const { accessKeyId } = credential;
  const started = clock.now().getTime();
  const elapsed = () => clock.now().getTime() - started;
  const hasTime = () => elapsed() < limits.verifySeconds * 1_000;
  let passes = 0;
  let lastFailure: RotationError | undefined;
  do {
    const answers = await Promise.all(
      Array.from({ length: CALLS_IN_A_PASS }, () =>
        aws.identify(credential).catch((error: unknown) => {
          if (!(error instanceof RotationError)) throw error;
          if (error instanceof UnauthorizedError) throw wrongSecret(accessKeyId, error);
          lastFailure = error;
          return undefined;
        }),
      ),
    );
    passes = answers.every((answer) => answer !== undefined) ? passes + 1 : 0;
    const other = answers.find((seen) => seen && (seen.userId !== user.userId || seen.accountId !== user.accountId));
    if (other) {
      throw new ConflictError({
        what: `access key ${accessKeyId} belongs to ${other.arn}, not to ${user.arn}`,
        details: { accessKeyId, expected: user.arn, actual: other.arn },
      });
    }
    if (passes === PASSES_IN_A_ROW) return elapsed();
    await clock.sleep(limits.verifySpacingSeconds * 1_000);
  } while (hasTime());
  throw new InternalError({
    what: `access key ${accessKeyId} did not work ${PASSES_IN_A_ROW} times in a row within ${limits.verifySeconds} s: ${lastFailure?.message ?? "AWS does not know it yet"}`,
    next: "run `pulumi up` again: it goes on with this key; iam-rotation:limits.verifySeconds gives it more time",
    details: { accessKeyId },
    cause: lastFailure,
  });
}

/** It is the key's own secret that AWS does not take: the connection's credentials have no part in it. */
function wrongSecret(accessKeyId: string, cause: UnauthorizedError): UnauthorizedError {
  const { what, details } = cause.explanation;
  return new UnauthorizedError({ what: `the secret of access key ${accessKeyId} is wrong: ${what}`, details, cause });
}
