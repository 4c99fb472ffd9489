import { lastQueries } from "../scoring/observed.ts";
import type { LayerView } from "../scoring/score.ts";
import { roundToTotal } from "./round.ts";
import { type Schedule, sameForHeads } from "./schedule.ts";

export interface LazyLayersOptions {
  /** First and last tokens that a lazy layer is content with; the method keeps them. */
  readonly first: number;
  readonly last: number;
  /** Last queries that tell lazy layers: published with 1. */
  readonly queries: number;
  /** A layer is lazy whose queries give these tokens more than this share of their attention, in [0, 1]. */
  readonly threshold: number;
}

/**
 * SimLayerKV's schedule: lazy layers, whose last queries look at the first and the last tokens and little else, keep nothing by score;
 * what they leave is shared by the others, equally. What the others have no room for, or all of it where every layer is lazy, is
 * shared by the lazy ones.
 *
 * @see https://arxiv.org/abs/2410.13846
 */
export function lazyLayers({ first, last, queries, threshold }: LazyLayersOptions): Schedule {
  const schedule: Schedule = async ({ layers, kvHeads, mean, limit, view }) => {
    const isLazy: boolean[] = [];
    for (let layer = 0; layer < layers; layer++)
      isLazy.push((await attentionToEnds(await view(layer), first, last, queries)) > threshold);
    const base = Math.min(mean, limit);
    const busy = isLazy.filter((lazy) => !lazy).length;
    const shares = isLazy.map((lazy) => (busy === 0 ? base : lazy ? 0 : (base * layers) / busy));
    return sameForHeads(roundToTotal(shares, base * layers, limit), kvHeads);
  };
  return Object.assign(schedule, { needs: { queries } });
}

/** The share of attention that the last queries of all heads give to the first and last tokens. */
async function attentionToEnds(view: LayerView, first: number, last: number, queries: number): Promise<number> {
  const { data, dims } = await view.kernels.columnSums(lastQueries(view, queries), view.keys, view);
  const [heads = 0, length = 0] = dims;
  const isEnd = (column: number) => column < first || column >= length - last;
  const mass = data.reduce((sum, attention, i) => (isEnd(i % length) ? sum + attention : sum), 0);
  return mass / (heads * queries);
}
