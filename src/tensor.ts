/** Small things about dense row-major fp32 arrays that several folders need. */

/** A dense fp32 array. */
export interface Tensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** The position of the largest value; of equal ones, the first. NaN is never the largest. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? Number.NaN;
    if (value > top) {
      best = i;
      top = value;
    }
  }
  return best;
}
