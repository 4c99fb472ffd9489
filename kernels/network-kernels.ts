/**
 * What a decoder on a GPU is made of, but for attention: one function a kernel, each of which only records its work, into arrays that
 * the caller owns. An array that is written is none of those that are read.
 */
import type { AddNorm } from "./add-norm/index.ts";
import type { Argmax } from "./argmax/index.ts";
import type { Embed } from "./embed/index.ts";
import type { Gate } from "./gate/index.ts";
import type { Matmul } from "./matmul/index.ts";
import type { Rotate } from "./rotate/index.ts";
import type { Sample } from "./sample/index.ts";

/** Disposing frees what they work in; their programs live as long as the device. */
export interface NetworkKernels extends Disposable {
  /** Product with a matrix of the network, a bias and a residual: [S, K], [N, K] -> [S, N]. */
  readonly matmul: Matmul;
  /** Adds to the residual stream, and normalises it: [S, D] -> [S, D]. */
  readonly addNorm: AddNorm;
  /** What lies between the products of queries, keys and values and attention: norms and RoPE; keys and values go into a cache. */
  readonly rotate: Rotate;
  /** activation(gate) * up: [S, 2 I] -> [S, I]. */
  readonly gate: Gate;
  /** Rows of the embedding table: [S], [V, D] -> [S, D]. */
  readonly embed: Embed;
  /** The most likely token of each row: [S, V] -> [S]. */
  readonly argmax: Argmax;
  /** A token drawn from each row: [S, V] -> [S]. */
  readonly sample: Sample;
}
