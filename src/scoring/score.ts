/**
 * Scoring: one number per KV head and candidate position of a layer; the highest are kept.
 *
 * A score is a source (what was observed of attention) and steps (how query heads become one, how neighbours are pooled). It
 * sees a layer through `LayerView` and computes through the view's kernels, so it runs wherever the kernels do.
 */
import type { Kernels, Stored, Tensor } from "../../kernels/index.ts";
import type { QueryMoments } from "../observation.ts";
import type { Needs } from "./needs.ts";
import type { PromptText } from "./probe.ts";

export type { Needs } from "./needs.ts";

/** What prefill observed of one layer. n prompt tokens, H query heads, KH KV heads, d head dimension; all after RoPE. */
export interface LayerObservation<A extends Stored = Stored> {
  readonly layer: number;
  /** n */
  readonly length: number;
  readonly kvHeads: number;
  /** The prompt's positions of the entries, [KH, n]: 0 to n - 1 in each head, unless some went before. */
  readonly positions: Int32Array;
  /** The last q queries that were observed: [H, q, d]. */
  readonly queries: Tensor;
  /** [KH, n, d], wherever the engine holds them: `kernels.read` brings them into memory. */
  readonly keys: A;
  /** [KH, n, d] */
  readonly values: A;
  /** Attention mass over all queries, [H, n]; null where no method asked for it. */
  readonly columnSums: Tensor | null;
  /** Of the queries before RoPE; null where no method asked for them. */
  readonly queryMoments: QueryMoments | null;
  /** What probes saw, by their names: [H, n] each. */
  readonly probes: ReadonlyMap<string, Tensor>;
  readonly slidingWindow: number | null;
  /** RoPE's radians per position, one per pair of channels: [d / 2]. */
  readonly frequencies: Float64Array;
  /** Reads what mixes the heads' outputs: [hidden, H * d]. */
  readonly outputProjection: () => Tensor;
  /** The prompt, by position; null where it went by in pieces. */
  readonly prompt: PromptText | null;
  readonly kernels: Kernels;
}

/** A layer as a score sees it. */
export interface LayerView<A extends Stored = Stored> extends LayerObservation<A> {
  /** Positions open to choice: from <= position < to. */
  readonly candidates: { readonly from: number; readonly to: number };
}

export interface Score {
  /** What prefill must observe; left out is what it does not need. */
  readonly needs: Partial<Needs>;
  /** Whether it tells KV heads apart by their number, as random draws and measured statistics do; else permuted heads are scored alike. */
  readonly namesHeads?: true;
  /** [KH, to - from] for the view's candidates; a source alone may give one row per query head. */
  evaluate(view: LayerView): Promise<Tensor>;
}

/** Turns scores into scores: rows [H, m] into [KH, m], or each row into another. */
export interface Step {
  (scores: Tensor, view: LayerView): Promise<Tensor>;
  /** How it is written, for records of what was run: "maxPool(7)". */
  readonly label: string;
}

/** Names a step. */
export const step = (label: string, apply: (scores: Tensor, view: LayerView) => Promise<Tensor>): Step =>
  Object.assign((scores: Tensor, view: LayerView) => apply(scores, view), { label });
