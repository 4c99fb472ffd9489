import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { z } from "zod";
import { checked } from "../options.ts";
import { lastQueries } from "../scoring/observed.ts";
import { evictedRows, type Merge, type MergeView, type Pairs } from "./merge.ts";

export interface CamOptions {
  /** Last tokens, whose attention says how much an entry matters; an integer >= 1, default 8. */
  readonly window?: number | undefined;
  /** Kept entries after an evicted one that share its value; an integer >= 1, default 32. */
  readonly span?: number | undefined;
  /** Of the random draws; default 0. */
  readonly seed?: number | undefined;
}

const error = "an integer >= 1";
const schema = z.object({
  window: z.int(error).min(1, error).default(8),
  span: z.int(error).min(1, error).default(32),
  seed: z.int("an integer").default(0),
});

/**
 * CaM: the value of an evicted entry is shared out among the kept ones that follow it, the likelier the more attention it gets beside
 * them. Keys stay. The published code merges every token into those that follow at once; here the selection is made first.
 *
 * @formula a_j = sum over the last `window` queries i of A[h,i,j], mean over the group; c_1 .. c_m are the `span` kept ones that
 *   follow e, or all; with probability min(1, a_e / mean of a over c_1 .. c_m): v_c <- v_c + v_e / m for each of them.
 * @cost The attention of `window` queries; adding `span` values for each merged entry.
 * @memory That of the selection.
 * @helps Where a method evicts entries that attention still falls on, such as what fixed windows leave out; where
 *   most of a prompt is evicted, values add up beyond their size: worse than dropping on SmolLM2-135M at 64 and 128 of 500 (2026-11).
 * @see https://proceedings.mlr.press/v235/zhang24n.html
 */
export function camMerge(options: CamOptions = {}): Merge {
  const { window, span, seed } = checked(schema, options, "camMerge");
  return {
    name: "cam",
    options: { window, span, seed },
    needs: { queries: window },
    sides: "values",
    async pair(view) {
      const attention = await attentionOf(view, window);
      const random = xoroshiro128plus(seed + view.layer);
      return view.kept.map((own, head) => {
        const row = attention.subarray(head * view.length, (head + 1) * view.length);
        return followers(row, own, span, () => uniformFloat64(random));
      });
    },
    weigh: (shares) => ({ own: 1, others: shares }),
  };
}

/** What the last queries give to every row: [KH, n]. */
async function attentionOf(view: MergeView, window: number): Promise<Float32Array> {
  const { keys, slidingWindow, kernels, kvHeads } = view;
  const sums = await kernels.columnSums(lastQueries(view, window), keys, { slidingWindow });
  return (await kernels.groupMean(sums, kvHeads)).data;
}

/** Nearness is the share of its value that an evicted entry gives. One draw for each that has followers. */
function followers(attention: Float32Array, kept: Int32Array, span: number, draw: () => number): Pairs {
  const [rows, places, nearness]: [number[], number[], number[]] = [[], [], []];
  let next = 0;
  for (const row of evictedRows(kept, attention.length)) {
    while (next < kept.length && (kept[next] ?? 0) < row) next++;
    const end = Math.min(next + span, kept.length);
    const count = end - next;
    if (count === 0) continue;
    let mass = 0;
    for (let place = next; place < end; place++) mass += attention[kept[place] ?? 0] ?? 0;
    const merges = draw() * (mass / count) < (attention[row] ?? 0);
    for (let place = next; merges && place < end; place++) {
      rows.push(row);
      places.push(place);
      nearness.push(1 / count);
    }
  }
  return { rows, places, nearness };
}
