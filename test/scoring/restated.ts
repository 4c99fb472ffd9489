/** Leverage and attention of neighbours, said once more in plain loops: what Compactor blends. */

import type { LayerView } from "../../src/scoring/score.ts";
import { gaussianSketch } from "../../src/scoring/sketch.ts";
import type { Tensor } from "../../src/tensor.ts";
import { dot, norm, range, sum } from "../support/numbers.ts";
import {
  positionsOf,
  ropeMatrix,
  solved,
  standardised,
  times,
  timesMatrix,
  transpose,
  vectors,
} from "../support/score-views.ts";

/** x (X' X + 0.01)^-1 x' of each candidate, X their keys before RoPE less the mean, shortened where `sketch` is less than d. */
export function leverage(view: LayerView<Tensor>, { sketch, seed }: { sketch: number; seed: number }): number[][] {
  const { from, to } = view.candidates;
  return range(0, view.kvHeads).map((head) => {
    const at = positionsOf(view, head);
    const keys = vectors(view.keys, head)
      .map((key, j) => times(transpose(ropeMatrix(view.frequencies, at[j] ?? 0)), key))
      .slice(from, to);
    const mean = transpose(keys).map((channel) => sum(channel) / keys.length);
    const centred = keys.map((key) => key.map((x, c) => x - (mean[c] ?? 0)));
    const size = mean.length;
    const random = gaussianSketch(seed, size, sketch);
    const matrix = range(0, size).map((r) => [...random.slice(r * sketch, (r + 1) * sketch)]);
    const rows = sketch < size ? timesMatrix(centred, matrix) : centred;
    const gram = timesMatrix(transpose(rows), rows).map((row, r) => row.map((x, c) => (r === c ? x + 0.01 : x)));
    return rows.map((row) => dot(row, solved(gram, row)));
  });
}

/** What Compactor's authors take of the attention within chunks, before it is standardised. */
export function neighbours(view: LayerView<Tensor>, chunk: number, padded = false): number[][] {
  const { from, to } = view.candidates;
  const heads = view.queries.dims[0] ?? 0;
  const group = heads / view.kvHeads;
  return range(0, view.kvHeads).map((kvHead) => {
    const keys = vectors(view.keys, kvHead).slice(from, to);
    const values = vectors(view.values, kvHead).slice(from, to);
    const attention = keys.map(() => 0);
    for (const head of range(kvHead * group, (kvHead + 1) * group)) {
      const queries = vectors(view.queries, head).slice(from, to);
      for (const i of range(0, padded ? chunk * Math.ceil(keys.length / chunk) : keys.length)) {
        const start = chunk * Math.floor(i / chunk);
        const end = padded ? start + chunk : Math.min(start + chunk, keys.length);
        const weights = range(start, end).map((j) =>
          Math.exp(dot(queries[i] ?? [0, 0, 0, 0], keys[j] ?? [0, 0, 0, 0])),
        );
        for (const [offset, weight] of weights.entries())
          if (start + offset < keys.length)
            attention[start + offset] = (attention[start + offset] ?? 0) + weight / sum(weights) / group;
      }
    }
    const weighted = attention.map((mass, j) => mass * norm(values[j] ?? []));
    return weighted.map((mass, j) => ((weighted[j - 1] ?? 0) + mass + (weighted[j + 1] ?? 0)) / 3);
  });
}

export { standardised };
