import type { KeyState } from "../../rotation/keyRing";
import { overlapEndOf } from "../overview";
import type { RotationFacts } from "../stackState";
import { DAY_MILLISECONDS } from "../words";

/** CIS AWS Foundations Benchmark, "Ensure access keys are rotated every 90 days or less": days. */
export const CIS_DAYS = 90;

/** The past that a page shows at most, and the future; days. Beyond it a bar is cut off at the edge. */
const MOST_PAST = 365;
const MOST_FUTURE = 120;

/** The past that a page shows at least, so that the line of 90 days is on it; days. */
const LEAST_PAST = 105;
const LEAST_FUTURE = 30;

/** What a key is during a part of its life; all times in milliseconds since 1970. */
export interface Segment {
  readonly state: KeyState;
  readonly from: number;
  readonly to: number;
  /** It lies in the future: what is going to be, if nobody changes it. */
  readonly isPlanned: boolean;
}

/** The life of one key. */
export interface Lane {
  readonly accessKeyId: string;
  readonly state: KeyState;
  readonly segments: readonly Segment[];
  /** From when to when the key works and is older than 90 days; undefined when it never is until now. */
  readonly tooOld: { readonly from: number; readonly to: number } | undefined;
  /** When the next rotation replaces it; only on the current key. */
  readonly due: number | undefined;
  /** By how long that is overdue now; milliseconds, 0 when it is not. */
  readonly overdue: number;
}

/** The stretch of time that all charts of a page show. */
export interface Axis {
  readonly from: number;
  readonly to: number;
  readonly now: number;
  /** First days of months, in UTC. */
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

/**
 * The lives of a rotation's keys, as far as state tells them. Pure.
 *
 * State keeps when a key was made and since when it is not the current one. When a previous key was set Inactive it
 * does not keep: not before the overlap was over, which is where the bar changes.
 */
export function lanesOf(facts: RotationFacts, now: Date): Lane[] {
  const today = now.getTime();
  const due = facts.nextRotationAt ? Date.parse(facts.nextRotationAt) : undefined;
  const overlapEnd = overlapEndOf(facts);
  const end = overlapEnd === null ? due : Date.parse(overlapEnd);
  return facts.keys.map(({ accessKeyId, state, createdAt, retiredAt }) => {
    const made = Date.parse(createdAt);
    const retired = retiredAt ? Date.parse(retiredAt) : today;
    const inactive = state === "inactive" ? Math.max(retired, overlapEnd === null ? retired : (end ?? retired)) : today;
    const past: [KeyState, number, number][] =
      state === "pending" || state === "leftover"
        ? [[state, made, today]]
        : [
            ["current", made, state === "current" ? today : retired],
            ...(state === "current" ? [] : [["previous", retired, inactive] as [KeyState, number, number]]),
            ["inactive", inactive, today],
          ];
    const plannedEnd = state === "current" ? due : state === "previous" ? end : undefined;
    const segments = [
      ...past.map(([what, from, to]) => ({ state: what, from, to: Math.min(to, today), isPlanned: false })),
      ...(plannedEnd === undefined ? [] : [{ state, from: today, to: plannedEnd, isPlanned: true }]),
    ].filter(({ from, to }) => to > from);
    const worksUntil = state === "inactive" ? inactive : today;
    const old = made + CIS_DAYS * DAY_MILLISECONDS;
    return {
      accessKeyId,
      state,
      segments,
      tooOld: worksUntil > old ? { from: old, to: worksUntil } : undefined,
      due: state === "current" ? due : undefined,
      overdue: state === "current" && due !== undefined ? Math.max(0, today - due) : 0,
    };
  });
}

/** Whether a key that still works is older than 90 days. */
export function isTooOldNow({ state, tooOld }: Lane): boolean {
  return tooOld !== undefined && state !== "inactive";
}

/** The stretch of time that shows all lanes, within limits. Pure. */
export function axisOf(lanes: readonly Lane[], now: Date): Axis {
  const today = now.getTime();
  const starts = lanes.flatMap(({ segments }) => segments.map(({ from }) => from));
  const ends = lanes.flatMap(({ segments, due }) => [
    ...segments.map(({ to }) => to),
    ...(due === undefined ? [] : [due]),
  ]);
  const limit = (value: number, least: number, most: number) => today + Math.max(least, Math.min(most, value - today));
  const day = DAY_MILLISECONDS;
  const from = limit(Math.min(today, ...starts), -MOST_PAST * day, -LEAST_PAST * day);
  const to = limit(Math.max(today, ...ends), LEAST_FUTURE * day, MOST_FUTURE * day);
  // Room at the edges, so that what begins or ends there is seen to do so.
  const room = (to - from) * 0.02;
  return { from: from - room, to: to + room, now: today, ticks: ticksOf(from, to) };
}

/** Where an instant lies on an axis, in percent from the left; cut off at the edges. */
export function place({ from, to }: Axis, at: number): number {
  return Math.round(Math.max(0, Math.min(1, (at - from) / (to - from))) * 10_000) / 100;
}

/** At most six: more would run into one another on a phone. */
function ticksOf(from: number, to: number): Axis["ticks"] {
  const first = new Date(from);
  const months: number[] = [];
  for (let month = first.getUTCMonth() + 1; ; month += 1) {
    const at = Date.UTC(first.getUTCFullYear(), month);
    if (at > to) break;
    months.push(at);
  }
  const step = Math.ceil(months.length / 6);
  return months
    .filter((_, index) => index % step === 0)
    .map((at) => ({ at, label: new Date(at).toLocaleDateString("en", { month: "short", timeZone: "UTC" }) }));
}
