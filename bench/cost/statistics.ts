/** Several measurements of one thing: the middle, and the ends. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** The middle of some numbers, of which there is one at least; with the ends. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
  return { median, least: at(0), most: at(sorted.length - 1), count: sorted.length };
}

/** The ratios of what was measured side by side: the n-th of the one to the n-th of the other. */
export function ratiosOf(some: readonly number[], others: readonly number[]): Spread {
  return spreadOf(some.map((value, index) => value / (others[index] ?? Number.NaN)));
}
