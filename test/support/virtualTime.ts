interface Waiting {
  readonly at: number;
  readonly wake: () => void;
}

/** Time that moves only when everything waits, and straight to whoever wakes first: nothing waits really. */
export class VirtualTime {
  private readonly waiting: Waiting[] = [];

  /** @param now Milliseconds since the epoch. */
  constructor(public now: number) {}

  /** Resolves after so many milliseconds; those that wake at the same moment do so in the order in which they came. */
  wait(milliseconds: number): Promise<void> {
    return new Promise((wake) => {
      const at = this.now + Math.max(0, milliseconds);
      let index = this.waiting.length;
      while (index > 0 && this.waiting[index - 1]!.at > at) index -= 1;
      this.waiting.splice(index, 0, { at, wake });
    });
  }

  /** Lets time pass until the work has ended. */
  async until<T>(work: Promise<T>): Promise<T> {
    let hasEnded = false;
    const end = () => void (hasEnded = true);
    work.then(end, end);
    for (;;) {
      await allIdle();
      if (hasEnded) return work;
      if (!this.step()) throw new Error("everything waits for something that never comes");
    }
  }

  /** Lets so much time pass for whatever is still at work. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    await allIdle();
    while (this.waiting.length > 0 && this.waiting[0]!.at <= end) {
      this.step();
      await allIdle();
    }
    this.now = end;
  }

  private step(): boolean {
    const next = this.waiting.shift();
    if (!next) return false;
    this.now = next.at;
    next.wake();
    return true;
  }
}

/** All promises that can go on have gone on. */
const allIdle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Numbers in [0, 1) from a seed: mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
