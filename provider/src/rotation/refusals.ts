import { ConflictError, InternalError, type RotationError } from "./errors";
import { currentKey, type KeyRing, type KeyState } from "./keyRing";
import { type Ledger, LEDGER_TAG, untagCommand } from "./ledger";
import type { Refusal } from "./plan";
import type { AccessKey, Caller, Identity, LastUse } from "./ports";

/** What is checked before the first write, beside the plan itself. */
export interface Precondition {
  readonly userName: string;
  readonly rotationId: string;
  /** State's generation; undefined for a creation. */
  readonly generation: number | undefined;
  /** State's current key; undefined for a creation, and where there is none. */
  readonly currentKeyId: string | undefined;
  readonly ledger: Ledger | undefined;
  /** The owner tag. */
  readonly ledgerOwner: string | undefined;
  /** When this run began, by AWS's clock; milliseconds. */
  readonly startedAt: number;
  /** The ledger may have been written since the run began, as far as its looks tell. */
  readonly isLedgerNew: boolean;
  /** How far AWS's clock is ahead; milliseconds. */
  readonly skew: number;
}

/** More than this, and signatures are near to being refused, and dates mean nothing. */
const MOST_SKEW = 300_000;

/** The ledger's time and the Date header are in whole seconds. */
const CLOCK_STEP = 2_000;

/**
 * What stands against any write by this run, or undefined. Pure.
 */
export function preconditionFailure(precondition: Precondition): RotationError | undefined {
  const { userName, rotationId, generation, currentKeyId, ledger, ledgerOwner, startedAt, isLedgerNew, skew } =
    precondition;
  const untag = untagCommand(userName);
  if (Math.abs(skew) > MOST_SKEW) {
    return new InternalError({
      what: `the local clock is ${Math.round(Math.abs(skew) / 1_000)} s ${skew > 0 ? "behind" : "ahead of"} AWS's`,
      now: "nothing was changed",
      next: "set the clock of this machine (NTP), then run `pulumi up` again",
      details: { skew },
    });
  }
  if (!ledger) return undefined;
  if (ledger.rotationId !== rotationId) {
    return new ConflictError({
      what: `the access keys of IAM user ${userName} are rotated by another rotation: ${ledgerOwner ?? "its owner tag is missing"} (${ledger.rotationId})`,
      now: "nothing was changed",
      next: [
        "declare the user's rotation once only. If it is the same resource under a former name: give it `aliases`, or `pulumi state untaint` it",
        `If that rotation is gone: \`${untag}\`, then run \`pulumi up\` again`,
      ].join("\n"),
      details: { userName, owner: ledgerOwner, rotationId: ledger.rotationId },
    });
  }
  // Creations that failed, one after another, count on as well: a replacement that ended would have taken that key away.
  const isOfFailedCreations = ledger.writtenBy !== "update" && ledger.keys.some((id) => id === currentKeyId);
  if (generation !== undefined && ledger.generation > generation + 1 && !isOfFailedCreations) {
    return new ConflictError({
      what: `this state is older than the keys of IAM user ${userName}: it is of generation ${generation}, and the user's tag ${LEDGER_TAG} of ${ledger.generation}: an older state was restored`,
      now: `nothing was changed; the tag names these keys: ${ledger.keys.join(", ")}`,
      next: [
        "`pulumi stack import` the newest state",
        `If it is lost: \`${untag}\`, delete by hand the keys that nobody uses (\`aws iam delete-access-key --user-name ${userName} --access-key-id KEY_ID\`), then run \`pulumi up\` again`,
      ].join("\n"),
      details: { userName, generation, ledgerGeneration: ledger.generation },
    });
  }
  // Within the clocks' step only a look tells: what the first one did not show was written since, or lagged.
  if (Date.parse(ledger.writtenAt) > startedAt + (isLedgerNew ? -CLOCK_STEP : CLOCK_STEP)) {
    return new ConflictError({
      what: `another run is rotating the keys of IAM user ${userName}: it wrote the tag ${LEDGER_TAG} at ${ledger.writtenAt}, after this run had begun`,
      now: "nothing was changed by this run",
      next: "wait until the other run has ended, then run `pulumi up` again",
      details: { userName, writtenAt: ledger.writtenAt },
    });
  }
  return undefined;
}

/** A user deleted and made again under the same name, or the same name in another account, is another user. */
export function otherUserFailure(known: Identity, seen: Identity, userName: string): ConflictError | undefined {
  if (known.accountId === seen.accountId && known.userId === seen.userId) return undefined;
  const isOtherAccount = known.accountId !== seen.accountId;
  return new ConflictError({
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

/** What matters here of the connection whose credentials sign. */
export interface SigningConnection {
  readonly name: string;
  /** The connection's setting of this name. */
  readonly allowSelfRotation?: boolean | undefined;
}

/**
 * The user's own long-lived key signs: a later run would disable and delete the key that the connection needs, and no
 * run could put it right. Credentials that end by themselves are fetched anew with whatever key there is.
 */
export function selfRotationFailure(
  caller: Caller,
  user: Identity,
  connection: SigningConnection,
): ConflictError | undefined {
  const isSelf = caller.accountId === user.accountId && caller.userId === user.userId;
  if (!isSelf || caller.isTemporary || connection.allowSelfRotation) return undefined;
  return new ConflictError({
    what: `connection "${connection.name}" signs with an access key of ${user.arn}, the very user whose keys are to be rotated: a rotation would take away the key that the next run signs with`,
    now: "nothing was changed",
    next: [
      "use a connection with another user's key or, better, with a role (method assume-role)",
      "If the connection gets each new key in time: declare it in iam-rotation:connections with allowSelfRotation true",
    ].join("\n"),
    details: { connection: connection.name, user: user.arn },
  });
}

/**
 * Tells a plan's refusal.
 *
 * @param ring What this rotation knows of its keys: the current one is never among those that are offered for deletion.
 */
export function refusalError(
  refusal: Refusal,
  userName: string,
  ring: KeyRing,
  lastUses: ReadonlyMap<string, LastUse | null>,
): ConflictError {
  if (refusal.kind === "noSlot") return noSlotError(refusal.listed, userName, ring, lastUses);
  const { accessKeyId, reason, until } = refusal.inUse;
  return new ConflictError({
    what: `access key ${accessKeyId} of IAM user ${userName} must go to make room for a new one, but it counts as in use: ${reason}`,
    now: "nothing was changed",
    next: `${until ? `run \`pulumi up\` after ${until}` : "allow iam:GetAccessKeyLastUsed, or run `pulumi up` later"}; or set previousKey.whenInUse to "retire" to retire it all the same`,
    details: { userName, ...refusal.inUse },
  });
}

function noSlotError(
  listed: readonly AccessKey[],
  userName: string,
  ring: KeyRing,
  lastUses: ReadonlyMap<string, LastUse | null>,
): ConflictError {
  const stateOf = (id: string) => ring.keys.find((key) => key.accessKeyId === id)?.state;
  const keys = listed.map(({ accessKeyId, status, createdAt }) => {
    const whose = whoseKey(stateOf(accessKeyId));
    return `  ${accessKeyId}  ${status}, made ${createdAt}, ${describeUse(lastUses.get(accessKeyId))}; ${whose}`;
  });
  const ids = listed.map((key) => key.accessKeyId);
  const unknown = ids.filter((id) => stateOf(id) === undefined);
  const offered = unknown.length > 0 ? unknown : ids.filter((id) => stateOf(id) !== "current");
  return new ConflictError({
    what: [
      `IAM user ${userName} has no free slot for a new access key, and none of these may be deleted by this rotation:`,
      ...keys,
    ].join("\n"),
    now: "nothing was changed",
    next: [
      "delete one that nobody uses, then run `pulumi up` again:",
      ...offered.map((id) => `  aws iam delete-access-key --user-name ${userName} --access-key-id ${id}`),
      // Who replaces a resource does it without its state: the old current key may look like a stranger's.
      ...(currentKey(ring)
        ? []
        : [
            "If this is a replacement (`--replace`, or a tainted resource): drop --replace or `pulumi state untaint`, and set a new rotationTrigger instead",
          ]),
    ].join("\n"),
    details: { userName, accessKeyIds: offered },
  });
}

function whoseKey(state: KeyState | undefined): string {
  if (state === undefined) return "unknown to this rotation";
  return state === "leftover" ? "this rotation's by the user's tag" : `this rotation's ${state} key`;
}

function describeUse(lastUse: LastUse | null | undefined): string {
  if (lastUse === undefined) return "last use not read";
  return lastUse ? `last used ${lastUse.at} for ${lastUse.service} in ${lastUse.region}` : "never used";
}
