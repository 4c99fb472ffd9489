/** Decoding policies: what a cache keeps while tokens are generated. Names apart from the methods, which compress once, after prefill. */
export { type EveryStepsOptions, everySteps } from "./every-steps.ts";
export type { HeldEntries } from "./heads.ts";
export { type HeavyHittersOptions, heavyHitters } from "./heavy-hitters.ts";
export { type Behaviour, type DecodingPolicy, definePolicy, type PolicyFactory } from "./policy.ts";
export { policies } from "./registry.ts";
export { type StreamingWindowOptions, streamingWindow } from "./streaming.ts";
export type { Target } from "./target.ts";
export { tokenOmission } from "./token-omission.ts";
