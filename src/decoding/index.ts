/** Decoding policies: what a cache keeps while tokens are generated. Names apart from the methods, which compress once, after prefill. */
export { type DecodingPolicy, definePolicy, type PolicyFactory } from "./policy.ts";
export { policies } from "./registry.ts";
export { type StreamingWindowOptions, streamingWindow } from "./streaming.ts";
