import type { Tensor } from "../../kernels/index.ts";
import { candidateKeysBeforeRope } from "./rope.ts";
import type { Score } from "./score.ts";
import { gaussianSketch } from "./sketch.ts";

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
export function keyLeverage({ sketch, seed }: KeyLeverageOptions): Score {
  // Drawn once for all layers: drawing takes as long as a layer's leverage.
  const drawn = new Map<number, Tensor>();
  const shortening = (size: number): Tensor => {
    const known = drawn.get(size) ?? (sketch < size ? random(seed, size, sketch) : identity(size));
    drawn.set(size, known);
    return known;
  };
  return {
    needs: {},
    async evaluate(view) {
      const keys = await candidateKeysBeforeRope(view);
      return view.kernels.leverage(keys, shortening(keys.dims[2] ?? 0), RIDGE); // [KH, to - from]
    },
  };
}

const random = (seed: number, size: number, k: number): Tensor => ({
  data: Float32Array.from(gaussianSketch(seed, size, k)),
  dims: [size, k],
});

const identity = (size: number): Tensor => ({
  data: Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0)),
  dims: [size, size],
});
