/** Every method of ours by name. A method listed here is proven by the laws (test/laws) and offered by the recipes. */
import { adaKV, adaPyramidKV } from "./adakv.ts";
import { cake } from "./cake.ts";
import { d2o } from "./d2o.ts";
import { full } from "./full.ts";
import { h2o } from "./h2o.ts";
import { keyDiff } from "./keydiff.ts";
import { knorm } from "./knorm.ts";
import type { MethodFactory } from "./method.ts";
import { observedAttention } from "./observed.ts";
import { pyramidInfer } from "./pyramidinfer.ts";
import { pyramidKV } from "./pyramidkv.ts";
import { snapKV } from "./snapkv.ts";
import { streamingLLM } from "./streamingllm.ts";
import { tova } from "./tova.ts";
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
  cake,
  zigzagkv: zigZagKV,
  d2o,
  pyramidinfer: pyramidInfer,
} as const satisfies Record<string, MethodFactory>;
