/**
 * Scoring: one number per KV head and candidate position of a layer; the highest are kept.
 *
 * A score is a source (what was observed of attention) and steps (how query heads become one, how neighbours are pooled). It
 * sees a layer through `LayerView` and computes through the view's kernels, so it runs wherever the kernels do.
 */
import type { Kernels, Tensor } from "../../kernels/index.ts";

/** What prefill observed of one layer. n prompt tokens, H query heads, KH KV heads, d head dimension; all after RoPE. */
export interface LayerObservation {
  readonly layer: number;
  /** n */
  readonly length: number;
  readonly kvHeads: number;
  /** The prompt's positions of the entries, [KH, n]: 0 to n - 1 in each head, unless some went before. */
  readonly positions: Int32Array;
  /** The last q queries that were observed: [H, q, d]. */
  readonly queries: Tensor;
  /** [KH, n, d] */
  readonly keys: Tensor;
  /** [KH, n, d] */
  readonly values: Tensor;
  /** Attention mass over all queries, [H, n]; null where no method asked for it. */
  readonly columnSums: Tensor | null;
  readonly slidingWindow: number | null;
  readonly kernels: Kernels;
}

/** A layer as a score sees it. */
export interface LayerView extends LayerObservation {
  /** Positions open to choice: from <= position < to. */
  readonly candidates: { readonly from: number; readonly to: number };
}

/** What prefill must observe for a score. */
export interface Needs {
  /** How many of the last queries. */
  readonly queries: number;
  readonly columnSums: boolean;
}

export interface Score {
  readonly needs: Needs;
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
