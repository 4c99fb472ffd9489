import type { Kernel, Stored, Tensor } from "../tensor.ts";

/**
 * Attention within chunks, in both directions: queries [H, n, d] and keys [KH, n, d] at the same n positions -> [H, n], for each key the
 * sum over its chunk's queries of softmax(q . k) over the chunk's keys. Not divided by sqrt(d), as Compactor has it. A chunk of c
 * positions sums to c in each head; the last one may be shorter.
 *
 * @param chunk positions, an integer >= 1
 * @throws KvError `wrong_shape`, `invalid_option` for another chunk
 * @see https://arxiv.org/abs/2507.08143
 */
export type ChunkAttention<A extends Stored = Stored> = Kernel<[queries: Tensor, keys: A, chunk: number], Tensor>;
