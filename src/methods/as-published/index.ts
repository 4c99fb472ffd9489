/** The peers' arithmetic, under names of its own: for reproducing their numbers, not for comparing methods at equal budgets. */
import type { MethodFactory } from "../method.ts";
import { kvcacheFactory } from "./kvcache-factory.ts";
import { kvpress } from "./kvpress.ts";

export const asPublished = { kvcacheFactory, kvpress } as const;

/** The same by the name that each method carries. */
export const publishedRegistry = {
  "kvcache-factory/streamingllm": kvcacheFactory.streamingLLM,
  "kvcache-factory/h2o": kvcacheFactory.h2o,
  "kvcache-factory/snapkv": kvcacheFactory.snapKV,
  "kvcache-factory/pyramidkv": kvcacheFactory.pyramidKV,
  "kvcache-factory/adakv": kvcacheFactory.adaKV,
  "kvpress/streamingllm": kvpress.streamingLLM,
  "kvpress/snapkv": kvpress.snapKV,
  "kvpress/pyramidkv": kvpress.pyramidKV,
  "kvpress/adakv": kvpress.adaKV,
  "kvpress/lagkv": kvpress.lagKV,
  "kvpress/noncausal": kvpress.nonCausalAttention,
  "kvpress/compactor": kvpress.compactor,
  "kvpress/criticalkv": kvpress.criticalKV,
} as const satisfies Record<string, MethodFactory>;
