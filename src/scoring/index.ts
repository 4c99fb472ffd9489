/** What a score is composed of: a source, and steps that follow it. See `score.ts` for what a score promises. */
export { accumulatedAttention } from "./accumulated-attention.ts";
export { chain } from "./chain.ts";
export { chunks } from "./chunks.ts";
export { perLayer, weightedSum } from "./combine.ts";
export { maxOverGroup, meanOverGroup, meanOverHeads } from "./group.ts";
export { keyDifference } from "./key-difference.ts";
export { keyNorm } from "./key-norm.ts";
export type { Needs } from "./needs.ts";
export { perQuery } from "./per-query.ts";
export { avgPool, maxPool } from "./pool.ts";
export type { Probe, ProbeView, PromptText } from "./probe.ts";
export { protect } from "./protect.ts";
export { rank } from "./rank.ts";
export type { LayerObservation, LayerView, Score, Step } from "./score.ts";
export { windowAttention } from "./window-attention.ts";
