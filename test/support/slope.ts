/**
 * The median slope between any two of values at 0, 1, 2, ... (Theil and Sen): what each adds. One value off its line, as a late
 * collection makes it, does not turn it.
 */
export function slope(values: readonly number[]): number {
  const slopes = values.flatMap((from, i) => values.slice(i + 1).map((to, gap) => (to - from) / (gap + 1)));
  return slopes.toSorted((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? Number.NaN;
}
