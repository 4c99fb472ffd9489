/**
 * The methods as kvpress computes them, with its defaults (window 64, average-pooling 5 of each query head before the group
 * mean, beta 20), to reproduce its numbers. Its budgets are ratios of the prompt; ours are entries: ratio = 1 - budget / n.
 *
 * @see https://github.com/NVIDIA/kvpress
 */
import { kvpressAdaptive, kvpressPyramid } from "../../allocation/published/kvpress.ts";
import { uniform } from "../../allocation/uniform.ts";
import { chain } from "../../scoring/chain.ts";
import { firstBest } from "../../scoring/first-best.ts";
import { meanOverGroup } from "../../scoring/group.ts";
import { offset } from "../../scoring/offset.ts";
import { avgPool } from "../../scoring/pool.ts";
import { scale } from "../../scoring/scale.ts";
import { timesProjectedNorm } from "../../scoring/value-norms.ts";
import { windowAttention } from "../../scoring/window-attention.ts";
import { type CompactorOptions, compactorOptions, compactorScore, compactor as exactCompactor } from "../compactor.ts";
import { define } from "../define.ts";
import { lagKV as exactLagKV, type LagKVOptions } from "../lagkv.ts";
import { lastTokens, type MethodFactory } from "../method.ts";
import { type NonCausalAttentionOptions, nonCausal } from "../non-causal-attention.ts";
import { above, count, pool } from "../options.ts";
import type { PyramidKVOptions } from "../pyramidkv.ts";
import type { SnapKVOptions } from "../snapkv.ts";
import { streamingLLM as exactStreamingLLM, type StreamingLLMOptions } from "../streamingllm.ts";

const options = { window: count(1).default(64), pool: pool().default(() => avgPool(5)) };

const streamingLLM: MethodFactory<StreamingLLMOptions> = define(
  "kvpress/streamingllm",
  { options: { sinks: count(0).default(4) }, budgetAbove: "sinks" },
  exactStreamingLLM,
);

const snapKV: MethodFactory<SnapKVOptions> = define(
  "kvpress/snapkv",
  { options, budgetAbove: "window" },
  ({ window, pool }) => ({
    keep: lastTokens(window),
    score: chain(windowAttention(window), scale(1 / window), pool, meanOverGroup),
    allocate: uniform(),
  }),
);

/** Silently kvpress's SnapKV wherever the top layer would keep less than the window; else off its budget by a few entries. */
const pyramidKV: MethodFactory<PyramidKVOptions> = define(
  "kvpress/pyramidkv",
  { options: { ...options, beta: above(1).default(20) }, budgetAbove: "window", exact: false },
  ({ beta, ...rest }) => ({ ...snapKV(rest), allocate: kvpressPyramid({ beta }) }),
);

/** Exact in total; masks what it evicts where ours frees it. */
const adaKV: MethodFactory<SnapKVOptions> = define("kvpress/adakv", { options, budgetAbove: "window" }, (rest) => ({
  ...snapKV(rest),
  allocate: kvpressAdaptive(),
}));

/** 4 sinks and partitions of 128; of the tail, where ties are arbitrary, the last tokens. Short prompts keep their last tokens. */
const lagKV: MethodFactory<LagKVOptions> = define(
  "kvpress/lagkv",
  { options: { sinks: count(0).default(4), lag: count(2).default(128) }, budgetAbove: "sinks" },
  exactLagKV,
);

/** Fills the last chunk with zero vectors that attend and are attended to. */
const nonCausalAttention: MethodFactory<NonCausalAttentionOptions> = define(
  "kvpress/noncausal",
  { options: { chunk: count(1).default(256) } },
  ({ chunk }) => ({ keep: lastTokens(0), score: nonCausal({ chunk, padded: true }), allocate: uniform() }),
);

/** With that attention. */
const compactor: MethodFactory<CompactorOptions> = define(
  "kvpress/compactor",
  { options: compactorOptions },
  ({ chunk, ...rest }) => ({
    ...exactCompactor(rest),
    score: compactorScore({ ...rest, attention: { chunk, padded: true } }),
  }),
);

/** Counts the window to what attention alone chooses, so that this is less than half of the rest; nothing of it below twice the window. */
const criticalKV: MethodFactory<SnapKVOptions> = define(
  "kvpress/criticalkv",
  { options, budgetAbove: "window" },
  ({ budget, window, pool }) => {
    const first = Math.max(0, Math.floor(budget / 2) - window);
    const attention = chain(windowAttention(window), scale(1 / window), pool, meanOverGroup, offset(1e-4));
    return {
      keep: lastTokens(window),
      score: chain(attention, firstBest(first, timesProjectedNorm)),
      allocate: uniform(),
    };
  },
);

export const kvpress = {
  streamingLLM,
  snapKV,
  pyramidKV,
  adaKV,
  criticalKV,
  lagKV,
  nonCausalAttention,
  compactor,
} as const;
