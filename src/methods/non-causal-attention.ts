import { uniform } from "../allocation/uniform.ts";
import { chain } from "../scoring/chain.ts";
import { type ChunkedAttentionOptions, chunkedAttention } from "../scoring/chunked-attention.ts";
import { meanOverGroup } from "../scoring/group.ts";
import { avgPool } from "../scoring/pool.ts";
import type { Score } from "../scoring/score.ts";
import { standardise } from "../scoring/standardise.ts";
import { timesValueLength } from "../scoring/value-length.ts";
import { define } from "./define.ts";
import { lastTokens, type MethodFactory } from "./method.ts";
import { count } from "./options.ts";

export interface NonCausalAttentionOptions {
  /** Entries kept per KV head; >= 1. */
  readonly budget: number;
  /** Tokens in a chunk; >= 1, default 256. */
  readonly chunk?: number;
}

/** Its score, which Compactor blends: [KH, m]. */
export const nonCausal = (options: ChunkedAttentionOptions): Score =>
  chain(chunkedAttention(options), meanOverGroup, timesValueLength(), avgPool(3), standardise);

/**
 * Non-causal attention: the entries that their neighbours attend to, later and earlier ones alike, so that the first tokens of a chunk have no
 * advantage.
 *
 * @formula score[j] = z of avgpool 3 of |v[j]| mean over the group of the sum over i in the chunk of j of softmax over the chunk of
 *   q[h,i].k[j]; z: less the layer's mean, divided by its standard deviation.
 * @cost Attention within chunks: n x 256 products a head, whatever the prompt's length.
 * @memory The budget; prefill holds all queries for it, n x H x d numbers a layer.
 * @helps Where what is asked is not known yet; not while a prompt is compressed in blocks.
 * @see https://arxiv.org/abs/2507.08143
 */
export const nonCausalAttention: MethodFactory<NonCausalAttentionOptions> = define(
  "noncausal",
  { options: { chunk: count(1).default(256) } },
  ({ chunk }) => ({ keep: lastTokens(0), score: nonCausal({ chunk }), allocate: uniform() }),
);
