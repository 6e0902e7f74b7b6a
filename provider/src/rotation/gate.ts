import type { KeyRecord } from "./keyRing";
import type { LastUse } from "./ports";

/** When a key counts as in use: the inputs `previousKey.quietHours` and `previousKey.whenInUse`. */
export interface GatePolicy {
  readonly quietHours: number;
  readonly whenInUse: "wait" | "retire";
}

/** Why a key must not be retired yet. */
export interface InUse {
  readonly accessKeyId: string;
  /** For people. */
  readonly reason: string;
  /** When it stops counting as in use, if nothing uses it any more; ISO instant. Null where nobody can tell. */
  readonly until: string | null;
}

/** How our own verification is told from other uses. */
export interface OwnUse {
  /** Where the rotation verifies now; a key that was verified elsewhere says so itself. */
  readonly region: string;
  /** The time limit of a whole rotation. */
  readonly rotationSeconds: number;
}

const HOUR = 3_600_000;

/** IAM reports a use late: hours after it stopped being current during which a key counts as in use all the same. */
const REPORTING_LAG_HOURS = 4;

/** How far IAM's time of a use may lie from the time that we recorded for our own verification. */
const OWN_USE_TOLERANCE = 5_000;

/** IAM tells the minute of a use, not the second: in AWS's own examples each ends in ":00". */
const USE_STEP = 60_000;

/**
 * Says whether a key counts as in use: IAM saw a use within `quietHours` that was not our own verification; or it
 * stopped being current less than min(quietHours, 4) hours ago; or its last use cannot be read.
 *
 * @param lastUse What IAM says; null for never, undefined when it could not be read.
 * @param own Where our own verification was done, and how long a run may take.
 * @param now The schedule's clock.
 * @returns Why, or undefined when it may be retired.
 */
export function inUse(
  key: KeyRecord,
  lastUse: LastUse | null | undefined,
  policy: GatePolicy,
  own: OwnUse,
  now: Date,
): InUse | undefined {
  if (policy.whenInUse === "retire") return undefined;
  const { accessKeyId } = key;
  if (lastUse === undefined) return { accessKeyId, reason: "its last use could not be read", until: null };
  const usedUntil =
    lastUse && !isOwnVerification(key, lastUse, own) ? Date.parse(lastUse.at) + policy.quietHours * HOUR : -Infinity;
  if (lastUse && usedUntil > now.getTime()) {
    return {
      accessKeyId,
      reason: `it was used at ${lastUse.at} for ${lastUse.service} in ${lastUse.region}`,
      until: new Date(usedUntil).toISOString(),
    };
  }
  const lag = Math.min(policy.quietHours, REPORTING_LAG_HOURS);
  const settledAt = key.retiredAt === null ? -Infinity : Date.parse(key.retiredAt) + lag * HOUR;
  if (settledAt > now.getTime()) {
    return {
      accessKeyId,
      reason: `it was the current key until ${key.retiredAt}, and IAM reports uses up to ${lag} hours late`,
      until: new Date(settledAt).toISOString(),
    };
  }
  return undefined;
}

/**
 * Whether a use was our own verification: by STS, in the region and not after the time that were recorded. A leftover's
 * was not recorded; its run cannot have verified it for longer than a run may take. A pending key is verified still.
 */
export function isOwnVerification(key: KeyRecord, lastUse: LastUse, { region, rotationSeconds }: OwnUse): boolean {
  if (lastUse.service !== "sts" || lastUse.region !== (key.verifiedIn ?? region)) return false;
  const created = Date.parse(key.createdAt);
  const verified =
    key.verifiedAt !== null
      ? Date.parse(key.verifiedAt)
      : key.state === "leftover"
        ? created + rotationSeconds * 1_000
        : key.state === "pending"
          ? Infinity
          : -Infinity;
  const used = Date.parse(lastUse.at);
  const from = Math.floor(created / USE_STEP) * USE_STEP;
  return used >= from - OWN_USE_TOLERANCE && used <= verified + OWN_USE_TOLERANCE;
}
