/** Lists of numbers, for formulas said once more. */
export type Vector = readonly number[];

/** from .. to - 1; none where there is nothing between. */
export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

export const sum = (numbers: Vector): number => numbers.reduce((total, x) => total + x, 0);
export const mean = (numbers: Vector): number => sum(numbers) / numbers.length;

/** Of a sample: divided by one less than there are. */
export const variance = (numbers: Vector): number =>
  sum(numbers.map((x) => (x - mean(numbers)) ** 2)) / (numbers.length - 1);

export const dot = (a: Vector, b: Vector): number => sum(a.map((x, i) => x * (b[i] ?? Number.NaN)));
export const norm = (a: Vector): number => Math.sqrt(dot(a, a));
