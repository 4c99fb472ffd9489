/** The methods: all with exact budgets, and the peers' arithmetic under names of its own. */
export { type AdaKVOptions, type AdaPyramidKVOptions, adaKV, adaPyramidKV } from "./adakv.ts";
export { asPublished, publishedRegistry } from "./as-published/index.ts";
export { define } from "./define.ts";
export { full } from "./full.ts";
export { type H2OOptions, h2o } from "./h2o.ts";
export { type KeyDiffOptions, keyDiff } from "./keydiff.ts";
export { type KnormOptions, knorm } from "./knorm.ts";
export { firstAndLast, type Keep, lastTokens, type Method, type MethodFactory } from "./method.ts";
export { type ObservedAttentionOptions, observedAttention } from "./observed.ts";
export { type PyramidKVOptions, pyramidKV } from "./pyramidkv.ts";
export { type QuantiseOptions, quantised } from "./quantised.ts";
export { registry } from "./registry.ts";
export { type Selection, select } from "./select.ts";
export { type SnapKVOptions, snapKV } from "./snapkv.ts";
export { type StreamingLLMOptions, streamingLLM } from "./streamingllm.ts";
export { type ThinKOptions, thinK } from "./think.ts";
export { tova } from "./tova.ts";
export { window } from "./window.ts";
