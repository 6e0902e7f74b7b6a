import { advanceRotation } from "../rotation/schedule";
import { type RotationFacts, type RotationRecord, userNameOf } from "./stackState";
import { DAY_MILLISECONDS, duration, fromNow, utc } from "./words";

/** Why a rotation needs somebody. */
export interface Attention {
  readonly kind: "due" | "failed" | "drift" | "unsettled" | "noKey" | "overlapOver" | "problem" | "check";
  /** For people, in one or more lines. */
  readonly text: string;
}

/** A key, without its secret. */
export interface KeyOverview {
  readonly accessKeyId: string;
  readonly state: RotationFacts["keys"][number]["state"];
  /** ISO instant. */
  readonly createdAt: string;
  /** Whole days since it was made. */
  readonly ageDays: number;
  /** What becomes of it, for people. */
  readonly fate: string;
}

/** A rotation at a glance: what `status` shows, and what `status --json` prints. No secret is in it. */
export interface Overview {
  readonly project: string;
  readonly stack: string;
  /** The logical name. */
  readonly rotation: string;
  readonly urn: string;
  /** The IAM user's name; null where state does not know it. */
  readonly userName: string | null;
  readonly userArn: string | null;
  /** The key that consumers are given; null when there is none. */
  readonly key: KeyOverview | null;
  /** The key before it, while it is on the user. */
  readonly previousKey: KeyOverview | null;
  /** Keys that were made and never given out. */
  readonly otherKeys: readonly KeyOverview[];
  readonly next: {
    /** ISO instant from which the next rotation is due; null when automatic rotation is off. */
    readonly at: string | null;
    readonly isDue: boolean;
    /** For people: `in 12 days`. */
    readonly inWords: string;
  };
  readonly last: {
    readonly status: "success" | "failed" | "unknown";
    /** ISO instant of the last attempt. */
    readonly at: string | null;
    readonly message: string | null;
  };
  /** Why it needs somebody; empty when it does not. */
  readonly attention: readonly Attention[];
}

const HOUR = 3_600_000;

/** Says where a rotation stands, from state alone. Pure. What is due is decided by the schedule's own rule. */
export function overviewOf(record: RotationRecord, now: Date): Overview {
  const { project, stack, rotation, urn, facts, problem } = record;
  const address = { project, stack, rotation, urn };
  const problems: Attention[] = problem === undefined ? [] : [{ kind: "problem", text: problem }];
  if (!facts) {
    return {
      ...address,
      userName: null,
      userArn: null,
      key: null,
      previousKey: null,
      otherKeys: [],
      next: { at: null, isDue: false, inWords: "unknown" },
      last: { status: "unknown", at: null, message: null },
      attention: problems,
    };
  }
  const due = advanceRotation(facts, facts, now);
  const isDue = due.number !== facts.rotation.number;
  const overlapEnd = overlapEndOf(facts);
  const isOverlapOver = !isDue && due.previousKey !== facts.rotation.previousKey;
  // A run after that time that succeeded has tried, and told why not.
  const isHeldBack = isOverlapOver && overlapEnd !== null && facts.updatedAt >= overlapEnd;

  const keyOf = (key: RotationFacts["keys"][number]): KeyOverview => ({
    accessKeyId: key.accessKeyId,
    state: key.state,
    createdAt: key.createdAt,
    ageDays: Math.max(0, Math.floor((now.getTime() - Date.parse(key.createdAt)) / DAY_MILLISECONDS)),
    fate: fateOf(key.state, { overlapEnd, isOverlapOver, isHeldBack }),
  });
  const current = facts.keys.find(({ state }) => state === "current");
  const previous = facts.keys.find(({ state }) => state === "previous" || state === "inactive");
  const { nextRotationAt = null } = facts;
  return {
    ...address,
    userName: userNameOf(facts),
    userArn: facts.userArn,
    key: current ? keyOf(current) : null,
    previousKey: previous ? keyOf(previous) : null,
    otherKeys: facts.keys.filter((key) => key !== current && key !== previous).map(keyOf),
    next: { at: nextRotationAt, isDue, inWords: nextInWords(nextRotationAt, isDue, now) },
    last: {
      status: facts.rotationStatus,
      at: facts.lastRotationAttemptedAt,
      message: facts.lastRotationMessage ?? null,
    },
    attention: [
      ...problems,
      ...(isDue ? [dueAttention(facts, due.reason)] : []),
      ...(current ? [] : [{ kind: "noKey" as const, text: "no key is current: run `pulumi up`" }]),
      ...(facts.rotationStatus === "failed"
        ? [{ kind: "failed" as const, text: facts.lastRotationMessage ?? "the last run failed" }]
        : []),
      ...(isOverlapOver && !isHeldBack && overlapEnd !== null
        ? [
            {
              kind: "overlapOver" as const,
              text: `the previous key ${previous?.accessKeyId ?? ""} was to be set Inactive from ${utc(overlapEnd)} on: run \`pulumi up\``,
            },
          ]
        : []),
      ...(facts.unsettled ? [{ kind: "unsettled" as const, text: `${facts.unsettled}: run \`pulumi up\`` }] : []),
    ],
  };
}

/** Those that need somebody first, then by their next rotation; paused ones last. */
export function byUrgency(a: Overview, b: Overview): number {
  const rank = ({ attention }: Overview) => (attention.length > 0 ? 0 : 1);
  const at = ({ next }: Overview) => (next.at === null ? Infinity : Date.parse(next.at));
  return rank(a) - rank(b) || at(a) - at(b) || a.urn.localeCompare(b.urn);
}

function dueAttention({ rotation, nextRotationAt }: RotationFacts, reason: string): Attention {
  if (rotation.drift !== undefined) return { kind: "drift", text: `${reason}: run \`pulumi up\`` };
  return { kind: "due", text: `a rotation is due since ${utc(nextRotationAt ?? rotation.at)}: run \`pulumi up\`` };
}

/** When the previous key is to be set Inactive; null when it stays until the next rotation, or there is none. */
export function overlapEndOf({ rotation, previousKey }: RotationFacts): string | null {
  const hours = previousKey.deactivateAfterHours;
  if (hours === undefined || rotation.previousKey === "none") return null;
  return new Date(Date.parse(rotation.at) + hours * HOUR).toISOString();
}

function fateOf(
  state: KeyOverview["state"],
  overlap: { overlapEnd: string | null; isOverlapOver: boolean; isHeldBack: boolean },
): string {
  switch (state) {
    case "current":
      return "in use until the next rotation";
    case "previous":
      if (overlap.isHeldBack) return "active: held back, it counts as in use";
      if (overlap.isOverlapOver) return "active: Inactive with the next run";
      return overlap.overlapEnd === null ? "active until the next rotation" : `active until ${utc(overlap.overlapEnd)}`;
    case "inactive":
      return "Inactive, deleted when its slot is needed";
    case "pending":
      return "made, not given out yet";
    case "leftover":
      return "left by a killed run, deleted when its slot is needed";
  }
}

function nextInWords(at: string | null, isDue: boolean, now: Date): string {
  if (at === null) return isDue ? "due now" : "paused";
  const late = now.getTime() - Date.parse(at);
  if (isDue) return late > 0 ? `overdue by ${duration(late)}` : "due now";
  return fromNow(at, now);
}
