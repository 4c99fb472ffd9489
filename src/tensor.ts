/** Small things about dense row-major fp32 arrays that several folders need. */

/** A dense fp32 array. */
export interface Tensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** Matrices of equal width, one under the other. A single one is passed on, not copied. */
export function concatRows(parts: readonly Tensor[]): Tensor {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let offset = 0;
  for (const part of parts) {
    data.set(part.data, offset);
    offset += part.data.length;
  }
  const rows = parts.reduce((sum, part) => sum + (part.dims[0] ?? 0), 0);
  return { data, dims: [rows, ...(first?.dims.slice(1) ?? [])] };
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
