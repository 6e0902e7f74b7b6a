import type { Clock } from "../../provider/src/rotation/ports";

/** The instant at which tests begin, unless they say otherwise. */
export const START = "2027-01-10T08:30:00.000Z";

const UNITS = { days: 86_400_000, hours: 3_600_000, minutes: 60_000, seconds: 1_000 } as const;

/** A clock that only moves when it is told to, or when somebody sleeps on it; sleeping takes no real time. */
export class FakeClock implements Clock {
  private at: number;
  /** How long each sleep was, in milliseconds. */
  readonly sleeps: number[] = [];

  constructor(start: string = START) {
    this.at = Date.parse(start);
  }

  now(): Date {
    return new Date(this.at);
  }

  sleep(milliseconds: number): Promise<void> {
    this.sleeps.push(milliseconds);
    this.at += milliseconds;
    return Promise.resolve();
  }

  set(instant: string): void {
    this.at = Date.parse(instant);
  }

  advance(by: Partial<Record<keyof typeof UNITS, number>>): void {
    for (const unit of Object.keys(UNITS) as (keyof typeof UNITS)[]) this.at += (by[unit] ?? 0) * UNITS[unit];
  }

  /** An instant before or after now. */
  from(by: Partial<Record<keyof typeof UNITS, number>>): string {
    const other = new FakeClock(this.now().toISOString());
    other.advance(by);
    return other.now().toISOString();
  }
}
