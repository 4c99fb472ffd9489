/**
 * What a decoder on a GPU is made of, but for attention: one function a kernel, each of which only records its work, into arrays that
 * the caller owns. An array that is written is none of those that are read.
 */
import type { Matmul } from "./matmul/index.ts";

export interface NetworkKernels {
  /** Product with a matrix of the network, a bias and a residual: [S, K], [N, K] -> [S, N]. */
  readonly matmul: Matmul;
}
