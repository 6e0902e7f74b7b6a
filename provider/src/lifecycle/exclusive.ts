/** Lets one piece of work at a time run for a key; others wait their turn, in order. */
export class Exclusive {
  private readonly last = new Map<string, Promise<unknown>>();

  /**
   * Runs work when all earlier work for the same key has ended, well or not.
   *
   * @returns What the work gives.
   */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(key) ?? Promise.resolve();
    const result = before.then(work, work);
    // The chain outlives a failure; the caller gets it from `result`.
    const settled = result.catch(() => undefined);
    this.last.set(key, settled);
    void settled.then(() => {
      if (this.last.get(key) === settled) this.last.delete(key);
    });
    return result;
  }
}
