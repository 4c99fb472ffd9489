import type { Tensor } from "../../kernels/index.ts";
import { candidateKeysBeforeRope } from "./rope.ts";
import type { Score } from "./score.ts";
import { gaussianSketch, product, transposed } from "./sketch.ts";

export interface KeyLeverageOptions {
  /** Channels that keys are shortened to at random; of all channels or more: none are lost, and leverage is exact. */
  readonly sketch: number;
  /** Of the random matrix, which all layers and heads share. */
  readonly seed: number;
}

/** Added to squared lengths in every direction, so that keys need not span them all. */
const RIDGE = 1e-2;

/**
 * Keys that no others stand in for first: the statistical leverage of each candidate's key before RoPE among those of its head,
 * x (X' X + 0.01)^-1 x', where X are the keys less their mean. In [0, 1].
 *
 * @see https://arxiv.org/abs/2507.08143
 */
export const keyLeverage = ({ sketch, seed }: KeyLeverageOptions): Score => ({
  needs: {},
  async evaluate(view) {
    const keys = centred(candidateKeysBeforeRope(view));
    const [heads = 0, count = 0, size = 0] = keys.dims;
    const matrices = new Float32Array(heads * size * size);
    const random = sketch < size ? gaussianSketch(seed, size, sketch) : null;
    for (let head = 0; head < heads; head++) {
      const own = keys.data.subarray(head * count * size, (head + 1) * count * size);
      const { products } = await view.kernels.moments({ data: own, dims: [count, 1, size] });
      const gram = Float64Array.from(products.data);
      matrices.set(random === null ? inverse(gram, size) : sketched(gram, size, random, sketch), head * size ** 2);
    }
    return view.kernels.quadraticForms(keys, { data: matrices, dims: [heads, size, size] }); // [KH, to - from]
  },
});

/** Each head's vectors less their mean. */
function centred({ data, dims }: Tensor): Tensor {
  const [heads = 0, count = 0, size = 0] = dims;
  const moved = new Float32Array(data.length);
  for (let head = 0; head < heads; head++) {
    const means = new Float64Array(size);
    for (let j = 0, at = head * count * size; j < count; j++)
      for (let c = 0; c < size; c++, at++) means[c] = (means[c] ?? 0) + (data[at] ?? 0) / count;
    for (let j = 0, at = head * count * size; j < count; j++)
      for (let c = 0; c < size; c++, at++) moved[at] = (data[at] ?? 0) - (means[c] ?? 0);
  }
  return { data: moved, dims };
}

/** P (P' G P + ridge)^-1 P' of a sketch P [d, k]: [d, d]. */
function sketched(gram: Float64Array, size: number, sketch: Float64Array, k: number): Float64Array {
  const across = transposed(sketch, [size, k]);
  const inner = product(across, product(gram, sketch, [size, size, k]), [k, size, k]);
  return product(sketch, product(inverse(inner, k), across, [k, k, size]), [size, k, size]);
}

/** (G + ridge)^-1 of a positive semi-definite matrix [n, n]: by Cholesky, G = L L', then the square of L^-1. */
function inverse(gram: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n);
  const root = new Float64Array(n * n); // L^-1
  const dot = (i: number, j: number, end: number) => {
    let sum = 0;
    for (let k = 0; k < end; k++) sum += (lower[i * n + k] ?? 0) * (lower[j * n + k] ?? 0);
    return sum;
  };
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) lower[i * n + j] = ((gram[i * n + j] ?? 0) - dot(i, j, j)) / (lower[j * n + j] ?? 1);
    lower[i * n + i] = Math.sqrt(Math.max(RIDGE, (gram[i * n + i] ?? 0) + RIDGE - dot(i, i, i)));
    for (let column = 0; column <= i; column++) {
      let sum = column === i ? 1 : 0;
      for (let k = column; k < i; k++) sum -= (lower[i * n + k] ?? 0) * (root[k * n + column] ?? 0);
      root[i * n + column] = sum / (lower[i * n + i] ?? 1);
    }
  }
  return product(transposed(root, [n, n]), root, [n, n, n]);
}
