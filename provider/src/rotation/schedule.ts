import { containsUnknown } from "../contract/unknown";

/** When a rotation is due: the API's three inputs. */
export interface Schedule {
  readonly isAutoRotationEnabled: boolean;
  /** Days. */
  readonly rotationInterval: number;
  readonly rotateAtUtc: { readonly hours: number; readonly minutes: number };
}

/** The schedule's anchor, kept as a computed input: `check` sees old inputs, never state. */
export interface Rotation {
  /** Counts the rotations; creation is 0. `diff` rotates where this differs from state's. */
  readonly number: number;
  /** ISO instant at which it was decided. */
  readonly at: string;
  /** Whether a person asked for it; creation counts as manual, as in the API. */
  readonly manual: boolean;
  /** Why, for people: previews show it. */
  readonly reason: string;
  /** What is to become of the key that it replaced. */
  readonly previousKey: "none" | "active" | "inactive";
  /** Set by `read` when the current key is missing or not Active, and why: the next `check` rotates. */
  readonly drift?: string | undefined;
}

/** The part of the inputs that decides about rotations. */
export interface ScheduledInputs extends Schedule {
  readonly rotationTrigger?: string | undefined;
  readonly previousKey: { readonly deactivateAfterHours?: number | undefined };
}

const HOUR = 3_600_000;

/**
 * When the next rotation is due, by the API's rule: the UTC date of the last one, at `rotateAtUtc`, plus the interval;
 * one more day when the last one was manual and at or past that time of day, so that a full interval elapses.
 *
 * @param last The last rotation: ISO instant, and whether it was manual (creation counts).
 * @returns An ISO instant, or null when automatic rotation is off.
 */
export function nextRotationAt(
  schedule: Schedule,
  last: { readonly at: string; readonly manual: boolean },
): string | null {
  if (!schedule.isAutoRotationEnabled) return null;
  const { hours, minutes } = schedule.rotateAtUtc;
  const at = new Date(last.at);
  // Hours and minutes alone are compared, as the API does: 12:00:59 is at 12:00.
  const isPastTimeOfDay = at.getUTCHours() * 60 + at.getUTCMinutes() >= hours * 60 + minutes;
  const days = schedule.rotationInterval + (last.manual && isPastTimeOfDay ? 1 : 0);
  return new Date(
    Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + days, hours, minutes),
  ).toISOString();
}

/** The anchor of a rotation that does not exist yet: its first key is made at once. */
export function firstRotation(now: Date): Rotation {
  return { number: 0, at: now.toISOString(), manual: true, reason: "created", previousKey: "none" };
}

/**
 * Decides what is due, from inputs alone: the one place where the clock decides about a rotation.
 *
 * @param old The old inputs: their anchor, and the trigger that they were given.
 * @param inputs The new inputs. An unknown among those that matter leaves the anchor as it is.
 * @param now The schedule's clock.
 */
export function advanceRotation(
  old: { readonly rotation: Rotation; readonly rotationTrigger?: string | undefined },
  inputs: ScheduledInputs,
  now: Date,
): Rotation {
  const { rotation } = old;
  const { isAutoRotationEnabled, rotationInterval, rotateAtUtc, rotationTrigger, previousKey } = inputs;
  if (containsUnknown([isAutoRotationEnabled, rotationInterval, rotateAtUtc, rotationTrigger, previousKey])) {
    return rotation;
  }
  const next = (manual: boolean, reason: string): Rotation => ({
    number: rotation.number + 1,
    at: now.toISOString(),
    manual,
    reason,
    previousKey: "active",
  });
  if (rotationTrigger !== undefined && rotationTrigger !== old.rotationTrigger) {
    return next(true, "rotationTrigger has a new value");
  }
  if (rotation.drift !== undefined) return next(true, rotation.drift);
  const due = nextRotationAt(inputs, rotation);
  if (due !== null && Date.parse(due) <= now.getTime()) {
    return next(false, `due since ${due}: every ${days(rotationInterval)} at ${timeOfDay(rotateAtUtc)} UTC`);
  }
  if (rotation.previousKey === "none") return rotation;
  // Anew each time: a retirement that was held back follows the hours as they are now, not as they were.
  const hours = previousKey.deactivateAfterHours;
  const isOver = hours !== undefined && Date.parse(rotation.at) + hours * HOUR <= now.getTime();
  return { ...rotation, previousKey: isOver ? "inactive" : "active" };
}

const days = (count: number) => (count === 1 ? "day" : `${count} days`);

const timeOfDay = ({ hours, minutes }: Schedule["rotateAtUtc"]) =>
  `${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
