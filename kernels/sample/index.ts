import type { GpuTensor } from "../gpu/arrays.ts";

export interface SampleOptions {
  /** 0 takes the most likely token; higher is more even. */
  readonly temperature: number;
  /** Draw from this many of the most likely tokens only; 0 sets no limit. */
  readonly topK: number;
  /** Draw from the fewest most likely tokens whose probabilities, after topK, reach this sum; 1 sets no limit. */
  readonly topP: number;
}

/**
 * A token drawn from each row of logits [S, V]: whole numbers, [S]. `draws` [S] are uniform in [0, 1), one for each row.
 *
 * The distribution is that of generation's sampler: the `topK` most likely tokens, of these the fewest most likely whose probabilities reach
 * `topP`, the first of equal logits before the others; tokens of minus infinity and NaN never, unless there is no other. At a temperature of
 * 0, or with an infinite logit, the result is argmax's. The token drawn is the one at the draw's share of what is left, in the order of
 * the tokens; the CPU's sampler takes them in the order that its search leaves, so equal draws may give other tokens there.
 *
 * Probabilities are whole numbers of 2^-31, whose sums are the same in any order, so a row's result hangs on nothing but its logits and its
 * draw. What is less likely than 2^-32 is never drawn, and `topP` is met to about 1e-6.
 */
export type Sample = (logits: GpuTensor, draws: GpuTensor, options: SampleOptions, out: GpuTensor) => void;
