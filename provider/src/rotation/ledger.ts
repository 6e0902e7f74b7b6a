import { type KeyRecord, type KeyRing } from "./keyRing";
import type { AccessKey } from "./ports";

/** The tag on the IAM user that says which keys are a rotation's: its ledger. */
export const LEDGER_TAG = "iam-rotation";
/** The tag that says to people whose rotation it is. */
export const OWNER_TAG = "iam-rotation-owner";

/** What a person types to take both tags away. */
export function untagCommand(userName: string): string {
  return `aws iam untag-user --user-name ${userName} --tag-keys ${LEDGER_TAG} ${OWNER_TAG}`;
}

/** AWS's limit for a tag's value (IAM, "Tags for IAM resources"). */
const LONGEST_TAG_VALUE = 256;

/** CreateDate is in whole seconds, and clocks are read a little apart. */
const WINDOW_SLACK = 5_000;

/** A key that is about to be made: what a later run needs to recognise it, should its answer be lost. */
export interface Announcement {
  /** By AWS's clock, ISO instant in whole seconds. */
  readonly at: string;
  /** The attempt's own time limit. */
  readonly seconds: number;
  /** The keys that existed then: none of them can be the announced one. */
  readonly others: readonly string[];
}

/**
 * What wrote a ledger: an update; a creation, while all that ever wrote it were creations, so that its keys may all be of
 * runs that were killed; or a creation that took over keys which consumers have, of a resource that it replaces or by
 * `adopt`.
 */
export type LedgerWriter = "create" | "takeover" | "update";

const WRITERS: readonly LedgerWriter[] = ["create", "takeover", "update"];

/** What the ledger tag says. */
export interface Ledger {
  /** The resource id. */
  readonly rotationId: string;
  /**
   * Counts the runs that wrote and saved: a ledger far ahead of a state shows that an older state was restored. A creation
   * counts on from the ledger that it finds, so that no update of a replacement has the number of one of the replaced.
   */
  readonly generation: number;
  /** This rotation's keys, the current one first. */
  readonly keys: readonly string[];
  /** What wrote it. */
  readonly writtenBy: LedgerWriter;
  /**
   * When the resource was created that wrote it, by the schedule's clock; ISO instant in whole seconds. Tells a
   * replacement from what it replaced; undefined where the ledger does not say.
   */
  readonly createdAt: string | undefined;
  /** When it was last written, by AWS's clock; ISO instant in whole seconds. */
  readonly writtenAt: string;
  /** Of the run that wrote it. */
  readonly nonce: string;
  readonly announcement?: Announcement | undefined;
}

const epoch = (instant: string) => String(Math.floor(Date.parse(instant) / 1_000));
const instant = (seconds: string) => new Date(Number(seconds) * 1_000).toISOString();

/** Whether two instants are the same for a ledger, which holds whole seconds. */
export function isSameSecond(one: string, other: string): boolean {
  return epoch(one) === epoch(other);
}

/**
 * Writes a ledger as a tag value: AWS takes letters, digits, space and `_.:/=+-@`, at most 256 characters.
 *
 * @returns undefined when it would be too long: the user has more keys than fit.
 */
export function formatLedger(ledger: Ledger): string | undefined {
  const { announcement } = ledger;
  const value = [
    "v1",
    ledger.rotationId,
    `g=${ledger.generation}`,
    `k=${ledger.keys.join("+")}`,
    `by=${ledger.writtenBy}`,
    ...(ledger.createdAt === undefined ? [] : [`c=${epoch(ledger.createdAt)}`]),
    `at=${epoch(ledger.writtenAt)}`,
    `n=${ledger.nonce}`,
    ...(announcement
      ? [`a=${epoch(announcement.at)}/${announcement.seconds}`, `o=${announcement.others.join("+")}`]
      : []),
  ].join(" ");
  return value.length <= LONGEST_TAG_VALUE ? value : undefined;
}

/** Reads a tag value; undefined when it is not a ledger. */
export function parseLedger(value: string | undefined): Ledger | undefined {
  const [version, rotationId, ...fields] = value?.split(" ") ?? [];
  if (version !== "v1" || !rotationId) return undefined;
  const field = new Map(fields.map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]));
  const list = (name: string) => (field.get(name) ?? "").split("+").filter(Boolean);
  const number = (text: string | undefined) => (text !== undefined && /^\d+$/.test(text) ? text : undefined);
  const generation = number(field.get("g"));
  const writtenAt = number(field.get("at"));
  const writtenBy = WRITERS.find((writer) => writer === field.get("by"));
  const nonce = field.get("n");
  const createdAt = number(field.get("c"));
  if (!generation || !writtenAt || !nonce || !writtenBy) return undefined;
  const [announcedAt, seconds] = field.get("a")?.split("/") ?? [];
  return {
    rotationId,
    generation: Number(generation),
    keys: list("k"),
    writtenBy,
    createdAt: createdAt && instant(createdAt),
    writtenAt: instant(writtenAt),
    nonce,
    ...(number(announcedAt) &&
      number(seconds) && {
        announcement: { at: instant(announcedAt as string), seconds: Number(seconds), others: list("o") },
      }),
  };
}

/** When the window in which an announced key can have been made has closed; milliseconds. */
export function windowEnd({ at, seconds }: Announcement): number {
  return Date.parse(at) + seconds * 1_000 + WINDOW_SLACK;
}

/**
 * The key that an open announcement is about: not among the others that existed, made within the attempt's window, and
 * the only such key. Two of them are nobody's: then a person made one, and nothing tells which. It may be one that
 * state knows: a tag that lags still announces a key which has long been taken in, and a person's is not that key.
 */
export function announcedKey(
  announcement: Announcement | undefined,
  listed: readonly AccessKey[],
): AccessKey | undefined {
  if (!announcement) return undefined;
  const opened = Date.parse(announcement.at) - WINDOW_SLACK;
  const candidates = listed.filter((key) => {
    if (announcement.others.includes(key.accessKeyId)) return false;
    const made = Date.parse(key.createdAt);
    return made >= opened && made <= windowEnd(announcement);
  });
  return candidates.length === 1 ? candidates[0] : undefined;
}

/**
 * The keys on the user that are ours by the ledger and unknown to state: their secrets are lost, nobody has them.
 *
 * @param ledger This rotation's own ledger.
 */
export function leftoversOf(ring: KeyRing, ledger: Ledger | undefined, listed: readonly AccessKey[]): KeyRecord[] {
  if (!ledger) return [];
  const known = ring.keys.map((key) => key.accessKeyId);
  const announced = announcedKey(ledger.announcement, listed);
  return listed
    .filter(({ accessKeyId }) => !known.includes(accessKeyId))
    .filter(({ accessKeyId }) => ledger.keys.includes(accessKeyId) || accessKeyId === announced?.accessKeyId)
    .map(({ accessKeyId, createdAt }) => ({
      accessKeyId,
      state: "leftover",
      createdAt,
      verifiedAt: null,
      retiredAt: null,
      lastUsedAt: null,
    }));
}
