import { ConflictError, InternalError, NotFoundError, RotationError } from "./errors";
import type { GatePolicy, InUse } from "./gate";
import { handOver, type KeyRing, withKey, withLastUse, withoutKey, withPending } from "./keyRing";
import { type Intent, keysThatMayGo, planRotation, type Refusal, type Step } from "./plan";
import type { AccessKey, Clock, Identity, LastUse, Limits, UserAccessKeys } from "./ports";
import { verifyKey } from "./verify";

/** A run's surroundings; everything with an effect is in here. */
export interface RunContext {
  readonly aws: UserAccessKeys;
  readonly clock: Clock;
  readonly limits: Limits;
}

/** What a run is asked to do. */
export interface RunRequest {
  readonly intent: Intent;
  readonly userName: string;
  readonly region: string;
  readonly policy: GatePolicy;
  /** What state knows; {@link EMPTY_RING} for a creation. */
  readonly ring: KeyRing;
  /** The user that state knows; undefined for a creation. */
  readonly user: Pick<Identity, "userId" | "arn" | "accountId"> | undefined;
  /** The rotation's instant, by the schedule's clock: the old current key is retired since then. */
  readonly at: string;
  /** The schedule's clock. */
  readonly now: Date;
}

/** What a run brought about. */
export interface RunResult {
  readonly ring: KeyRing;
  readonly user: Identity;
  /** Keys that were to be retired and count as in use. */
  readonly heldBack: readonly InUse[];
}

/** A run that failed, with all that it had brought about by then. */
export class RunFailure extends Error {
  constructor(
    readonly error: RotationError,
    readonly ring: KeyRing,
    readonly user: Identity | undefined,
  ) {
    super(error.message, { cause: error });
    this.name = "RunFailure";
  }
}

/** A pending key of this age that fails its verification again is given up. */
const HOPELESS_AFTER = 3_600_000;

/**
 * Observes, plans and acts. Nothing is written before the plan is made; a refusal changes nothing.
 *
 * @throws RunFailure with the ring as it is by then, so that no secret that was received is lost.
 */
export async function runRotation(request: RunRequest, context: RunContext): Promise<RunResult> {
  let { ring } = request;
  let user: Identity | undefined;
  try {
    const started = context.clock.now().getTime();
    const observed = await observe(request, context);
    user = observed.user;
    const plan = planRotation({ ...request, ...observed });
    for (const [accessKeyId, lastUse] of observed.lastUses) ring = withLastUse(ring, accessKeyId, lastUse);
    if (plan.refusal) throw refused(plan.refusal, request, observed.lastUses);
    for (const step of plan.steps) {
      if (context.clock.now().getTime() - started > context.limits.rotationSeconds * 1_000) {
        throw new InternalError({
          what: `the rotation of IAM user ${request.userName} took longer than ${context.limits.rotationSeconds} s`,
          next: "run `pulumi up` again; iam-rotation:limits.rotationSeconds gives it more time",
        });
      }
      await act(
        step,
        request,
        context,
        user,
        () => ring,
        (next) => (ring = next),
      );
    }
    return { ring, user, heldBack: plan.heldBack };
  } catch (error) {
    throw new RunFailure(
      error instanceof RotationError
        ? error
        : new InternalError({
            what: `the rotation of IAM user ${request.userName} failed: ${error instanceof Error ? error.message : String(error)}`,
            cause: error,
          }),
      ring,
      user,
    );
  }
}

interface Observed {
  readonly user: Identity;
  readonly listed: readonly AccessKey[];
  readonly lastUses: ReadonlyMap<string, LastUse | null>;
}

async function observe(request: RunRequest, context: RunContext): Promise<Observed> {
  const { aws } = context;
  const { userName, ring } = request;
  const [user, listed] = await Promise.all([aws.user(), listKeys(ring, context)]);
  if (!user || !listed) {
    throw new NotFoundError({
      what: `IAM user ${userName} does not exist in the account of this connection`,
      next: "make the user, or correct parameters.userName or connectionId; if it was deleted on purpose, `pulumi refresh` takes the rotation out of state",
      details: { userName },
    });
  }
  if (request.user) assertSameUser(request.user, user, userName);
  const mayGo = request.intent === "create" ? listed.map((key) => key.accessKeyId) : keysThatMayGo(ring, listed);
  const lastUses = new Map<string, LastUse | null>();
  await Promise.all(
    mayGo.map(async (accessKeyId) => {
      // A use that cannot be read stays out of the map: the key then counts as in use.
      const lastUse = await aws.lastUse(accessKeyId).catch((error: unknown) => {
        if (error instanceof RotationError) return undefined;
        throw error;
      });
      if (lastUse !== undefined) lastUses.set(accessKeyId, lastUse);
    }),
  );
  return { user, listed, lastUses };
}

/**
 * Lists the user's keys. IAM's lists lag: while a key that the ring names is not listed, the list is read again, for at
 * most `lagSeconds`.
 */
export async function listKeys(
  ring: KeyRing,
  { aws, clock, limits }: RunContext,
): Promise<readonly AccessKey[] | undefined> {
  const started = clock.now().getTime();
  for (;;) {
    const listed = await aws.list();
    const isComplete = ring.keys.every(({ accessKeyId }) => listed?.some((key) => key.accessKeyId === accessKeyId));
    if (isComplete || clock.now().getTime() - started >= limits.lagSeconds * 1_000) return listed;
    await clock.sleep(Math.min(5, limits.lagSeconds) * 1_000);
  }
}

/** A user deleted and made again under the same name, or the same name in another account, is another user. */
export function assertSameUser(
  known: Pick<Identity, "userId" | "arn" | "accountId">,
  seen: Identity,
  userName: string,
): void {
  if (known.accountId === seen.accountId && known.userId === seen.userId) return;
  const isOtherAccount = known.accountId !== seen.accountId;
  throw new ConflictError({
    what: isOtherAccount
      ? `connectionId reaches ${seen.arn}, but this rotation's keys belong to ${known.arn}`
      : `IAM user ${userName} was deleted and made again: its id is ${seen.userId}, and this rotation's keys belonged to ${known.userId}`,
    now: "nothing was changed",
    next: isOtherAccount
      ? "go back to a connection of the old account; to rotate the other account's user, declare a resource of its own"
      : "`pulumi refresh`, then `pulumi up`: the rotation starts anew with the new user",
    details: { known: known.arn, seen: seen.arn },
  });
}

async function act(
  step: Step,
  request: RunRequest,
  { aws, clock, limits }: RunContext,
  user: Identity,
  ring: () => KeyRing,
  save: (ring: KeyRing) => void,
): Promise<void> {
  switch (step.kind) {
    case "forget":
      save(withoutKey(ring(), step.accessKeyId));
      return;
    case "noteInactive":
      save(withKey(ring(), step.accessKeyId, { state: "inactive" }));
      return;
    case "delete":
      await aws.delete(step.accessKeyId);
      save(withoutKey(ring(), step.accessKeyId));
      return;
    case "deactivate": {
      const isThere = await aws.deactivate(step.accessKeyId);
      save(isThere ? withKey(ring(), step.accessKeyId, { state: "inactive" }) : withoutKey(ring(), step.accessKeyId));
      return;
    }
    case "create": {
      const { createdAt, ...credential } = await aws.create();
      save(withPending(ring(), credential, createdAt));
      return;
    }
    case "verifyAndHandOver": {
      const pending = ring().pendingCredentials;
      if (!pending) throw new TypeError("there is no pending key to verify");
      try {
        await verifyKey(aws, pending, user, clock, limits);
      } catch (error) {
        const record = ring().keys.find((key) => key.accessKeyId === pending.accessKeyId);
        const age = record ? clock.now().getTime() - Date.parse(record.createdAt) : 0;
        // Never handed out, and known by its id: giving it up harms nobody, and the next run makes a new one.
        if (age > HOPELESS_AFTER) {
          await aws.delete(pending.accessKeyId);
          save(withoutKey(ring(), pending.accessKeyId));
          throw new InternalError({
            what: `access key ${pending.accessKeyId} still does not work an hour after it was made, and was deleted: ${error instanceof RotationError ? error.explanation.what : String(error)}`,
            next: "run `pulumi up` again: it makes a new key",
            details: { accessKeyId: pending.accessKeyId },
            cause: error,
          });
        }
        throw error;
      }
      const verified = withKey(ring(), pending.accessKeyId, { verifiedAt: clock.now().toISOString() });
      save(handOver(verified, request.at, step.disabled));
    }
  }
}

function refused(refusal: Refusal, request: RunRequest, lastUses: ReadonlyMap<string, LastUse | null>): ConflictError {
  const { userName } = request;
  if (refusal.kind === "inUse") {
    const { accessKeyId, reason, until } = refusal.inUse;
    return new ConflictError({
      what: `access key ${accessKeyId} of IAM user ${userName} must go to make room for a new one, but it counts as in use: ${reason}`,
      now: "nothing was changed",
      next: `${until ? `run \`pulumi up\` after ${until}` : "run `pulumi up` later"}; or set previousKey.whenInUse to "retire" to retire it all the same`,
      details: { userName, ...refusal.inUse },
    });
  }
  const keys = refusal.listed.map(({ accessKeyId, status, createdAt }) => {
    const lastUse = lastUses.get(accessKeyId);
    const used = lastUse
      ? `last used ${lastUse.at} for ${lastUse.service} in ${lastUse.region}`
      : lastUse === null
        ? "never used"
        : "last use not read";
    return `  ${accessKeyId}  ${status}, made ${createdAt}, ${used}`;
  });
  return new ConflictError({
    what: [
      `IAM user ${userName} has no free slot for a new access key, and none of these may be deleted by this rotation:`,
      ...keys,
    ].join("\n"),
    now: "nothing was changed",
    next: [
      "delete one that nobody uses, then run `pulumi up` again:",
      `  aws iam delete-access-key --user-name ${userName} --access-key-id KEY_ID`,
      "If this is a replacement (`--replace`, or a tainted resource): drop --replace or `pulumi state untaint`, and set a new rotationTrigger instead",
    ].join("\n"),
    details: { userName, accessKeyIds: refusal.listed.map((key) => key.accessKeyId) },
  });
}
