/** Asymmetric quantisation of a group of numbers, as KIVI's (arXiv 2402.02750, section 3.1): a number is its code times the scale, plus the lowest. */

/** Bits of a code. */
export type Bits = 8 | 4 | 2;

/** Numbers of a group: `size` of them from `at` on, `stride` apart. */
export interface Group {
  readonly at: number;
  readonly size: number;
  readonly stride: number;
}

export interface Affine {
  /** (highest - lowest) / (2^bits - 1); 0 in a group of equal numbers. */
  readonly scale: number;
  readonly low: number;
}

/** The scale and offset of a group, in fp32 as they are stored. */
export function affineOf(numbers: Float32Array, { at, size, stride }: Group, bits: Bits): Affine {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < size; i++) {
    const x = numbers[at + i * stride] ?? 0;
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  return { scale: Math.fround((high - low) / (2 ** bits - 1)), low };
}

/** The code of a number: the nearest; of two as near, the even one. In fp32, as KIVI's code computes it. */
export function codeOf(x: number, { scale, low }: Affine, bits: Bits): number {
  if (scale === 0) return 0;
  const exact = Math.fround(Math.fround(x - low) / scale);
  const below = Math.floor(exact);
  const rest = exact - below;
  const code = rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
  return Math.min(code, 2 ** bits - 1);
}

/** What a code stands for, with fp32's roundings, so that it is the same wherever it is computed. */
export const numberOf = (code: number, { scale, low }: Affine): number => Math.fround(Math.fround(code * scale) + low);
