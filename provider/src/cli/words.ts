const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds of a day. */
export const DAY_MILLISECONDS = DAY;

const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });

/** An instant for people: `2026-12-04 03:00 UTC`. */
export function utc(instant: string): string {
  return `${new Date(instant).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** An instant from another one, in its largest whole unit: `in 12 days`, `3 hours ago`; `now` within a minute. */
export function fromNow(instant: string, now: Date): string {
  const distance = Date.parse(instant) - now.getTime();
  const [size, unit] = unitOf(Math.abs(distance));
  const count = Math.trunc(distance / size);
  return count === 0 ? "now" : relative.format(count, unit);
}

/** A length of time in its largest whole unit: `12 days`. */
export function duration(milliseconds: number): string {
  const [size, unit] = unitOf(milliseconds);
  const count = Math.trunc(milliseconds / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** `1 rotation`, `2 rotations`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function unitOf(milliseconds: number): [number, "day" | "hour" | "minute"] {
  if (milliseconds >= 2 * DAY) return [DAY, "day"];
  return milliseconds >= 2 * HOUR ? [HOUR, "hour"] : [MINUTE, "minute"];
}
