/** Every method of ours by name. A method listed here is proven by the laws (test/laws) and offered by the recipes. */
import { adaKV, adaPyramidKV } from "./adakv.ts";
import { cake } from "./cake.ts";
import { compactor } from "./compactor.ts";
import { criticalAdaKV, criticalKV } from "./criticalkv.ts";
import { cur } from "./cur.ts";
import { d2o } from "./d2o.ts";
import { expectedAttention } from "./expected-attention.ts";
import { finch } from "./finch.ts";
import { full } from "./full.ts";
import { h2o } from "./h2o.ts";
import { keyDiff } from "./keydiff.ts";
import { knorm } from "./knorm.ts";
import { kvzip } from "./kvzip.ts";
import { lagKV } from "./lagkv.ts";
import { leverageScore } from "./leverage-score.ts";
import type { MethodFactory } from "./method.ts";
import { nacl } from "./nacl.ts";
import { nonCausalAttention } from "./non-causal-attention.ts";
import { observedAttention } from "./observed.ts";
import { pyramidInfer } from "./pyramidinfer.ts";
import { pyramidKV } from "./pyramidkv.ts";
import { qFilters } from "./q-filters.ts";
import { random } from "./random.ts";
import { readAhead } from "./readahead.ts";
import { scissorhands } from "./scissorhands.ts";
import { simLayerKV } from "./simlayerkv.ts";
import { snapKV } from "./snapkv.ts";
import { streamingLLM } from "./streamingllm.ts";
import { tova } from "./tova.ts";
import { vatp } from "./vatp.ts";
import { window } from "./window.ts";
import { zigZagKV } from "./zigzagkv.ts";

export const registry = {
  full,
  window,
  streamingllm: streamingLLM,
  h2o,
  snapkv: snapKV,
  pyramidkv: pyramidKV,
  adakv: adaKV,
  adapyramidkv: adaPyramidKV,
  tova,
  observed: observedAttention,
  knorm,
  keydiff: keyDiff,
  random,
  expectedattention: expectedAttention,
  lagkv: lagKV,
  qfilters: qFilters,
  noncausal: nonCausalAttention,
  leverage: leverageScore,
  cur,
  compactor,
  finch,
  kvzip,
  criticalkv: criticalKV,
  criticaladakv: criticalAdaKV,
  vatp,
  nacl,
  scissorhands,
  simlayerkv: simLayerKV,
  cake,
  zigzagkv: zigZagKV,
  d2o,
  pyramidinfer: pyramidInfer,
  readahead: readAhead,
} as const satisfies Record<string, MethodFactory>;
