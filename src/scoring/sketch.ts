import { normalAt } from "./draw.ts";

/** A Gaussian matrix that shortens vectors of d channels to k and keeps their lengths on average: [d, k]. */
export const gaussianSketch = (seed: number, size: number, k: number): Float64Array =>
  Float64Array.from({ length: size * k }, (_, i) => normalAt(seed, Math.floor(i / k), i % k) / Math.sqrt(k));

/** A B of matrices [n, m] and [m, p]: [n, p]. For matrices of a head's size. */
export function product(a: Float64Array, b: Float64Array, [n, m, p]: readonly [number, number, number]): Float64Array {
  const out = new Float64Array(n * p);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < m; k++) {
      const factor = a[i * m + k] ?? 0;
      for (let j = 0; j < p; j++) out[i * p + j] = (out[i * p + j] ?? 0) + factor * (b[k * p + j] ?? 0);
    }
  return out;
}

/** [n, m] -> [m, n] */
export const transposed = (a: Float64Array, [n, m]: readonly [number, number]): Float64Array =>
  a.map((_, i) => a[(i % n) * m + Math.floor(i / n)] ?? 0);
