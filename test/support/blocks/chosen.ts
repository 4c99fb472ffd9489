/** Who chooses what stays, and by what: evictions made over again from what the engine gave. */

import assert from "node:assert/strict";
import type { Method } from "../../../src/methods/method.ts";
import { type Selection, select } from "../../../src/methods/select.ts";
import { inverseFrequencies } from "../../../src/model/rope.ts";
import type { QueryMoments } from "../../../src/observation.ts";
import type { LayerObservation } from "../../../src/scoring/score.ts";
import type { Tensor } from "../../../src/tensor.ts";
import { range } from "../numbers.ts";
import type { PrefillCall } from "../recorded-engine.ts";
import type { TinyModel } from "../tiny-model.ts";
import { carriedOut, heldBefore, type Laws, positionsOf } from "./trial.ts";

/** Queries of a block that the engine gives. */
const OBSERVED = 64;

export const choice: Laws = {
  "the method itself chooses what stays, by all that was observed of what is held": async (factory, trial) => {
    const { model } = trial;
    const { method, options, calls, cache } = await carriedOut(factory, trial);
    const { working } = options;
    using _ = cache;
    for (const [i, call] of calls.entries()) {
      const next = calls[i + 1];
      const [entries] = call.result.layers;
      const held = (entries?.positions.length ?? 0) / model.config.kvHeads;
      const chooser = next === undefined ? method : held > working ? { ...method, ...between(method, working) } : null;
      const chosen = chooser === null ? null : await select(chooser, observed(model, calls.slice(0, i + 1), method));
      const stayed = next === undefined ? positionsOf(model, cache) : heldBefore(model, next);
      assert.deepEqual(
        stayed,
        call.result.layers.map((layer, l) =>
          range(0, model.config.kvHeads).map((head) => {
            const own = layer.positions.slice(head * held, (head + 1) * held);
            return chosen === null ? [...own] : picked(chosen, l, head).map((row) => own[row] ?? -1);
          }),
        ),
      );
    }
  },
};

const picked = (selection: Selection, layer: number, head: number) => [...(selection[layer]?.[head] ?? [])];

/** What stays between blocks, said once more: uniform, and the last tokens where nothing is scored. */
const between = ({ keep, score, needs }: Method, working: number): Partial<Method> => ({
  budget: working,
  keep: { first: keep.first, last: score === null ? working - keep.first : Math.max(keep.last, needs.queries) },
  allocate: ({ layers, kvHeads, mean }) => range(0, layers).map(() => range(0, kvHeads).map(() => mean)),
});

/** What a method may see after some calls: sums looked up by true position, and queries of tokens that are surely held. */
function observed(model: TinyModel, calls: readonly PrefillCall[], method: Method): LayerObservation<Tensor>[] {
  const { layers, kvHeads, queryHeads, headDim } = model.config;
  const result = calls.at(-1)?.result ?? assert.fail("no call");
  const length = (result.layers[0]?.positions.length ?? 0) / kvHeads;
  return range(0, layers).map((layer) => {
    const entries = result.layers[layer] ?? assert.fail("no layer");
    const sums = method.needs.columnSums ? sumsByPosition(model, calls, layer) : null;
    const columnSums = sums && {
      data: Float32Array.from({ length: queryHeads * length }, (_, i) => {
        const head = Math.floor(i / length);
        const kvHead = Math.floor((head * kvHeads) / queryHeads);
        return sums[head]?.get(entries.positions[kvHead * length + (i % length)] ?? -1) ?? Number.NaN;
      }),
      dims: [queryHeads, length],
    };
    const rows = allQueries(model, calls, layer).slice(-Math.max(1, method.needs.queries));
    const data = Float32Array.from(range(0, queryHeads).flatMap((h) => rows.flatMap((row) => row[h] ?? [])));
    return {
      layer,
      length,
      kvHeads,
      positions: entries.positions,
      queries: { data, dims: [queryHeads, rows.length, headDim] },
      keys: { data: entries.keys, dims: [kvHeads, length, headDim] },
      values: { data: entries.values, dims: [kvHeads, length, headDim] },
      columnSums,
      queryMoments: method.needs.moments ? momentsOf(calls, layer) : null,
      probes: new Map(),
      slidingWindow: null,
      frequencies: inverseFrequencies(model.config, layer),
      outputProjection: () => model.engine.outputProjection(layer),
      prompt: null,
      kernels: model.engine.kernels,
    };
  });
}

/** Moments of all queries so far. */
function momentsOf(calls: readonly PrefillCall[], layer: number): QueryMoments {
  const parts = calls.map(({ result }) => result.moments?.[layer] ?? assert.fail("no moments"));
  const total = (of: (part: QueryMoments) => Float64Array) =>
    parts.map(of).reduce((sum, part) => sum.map((value, i) => value + (part[i] ?? Number.NaN)));
  return {
    count: parts.reduce((sum, { count }) => sum + count, 0),
    sums: total(({ sums }) => sums),
    products: total(({ products }) => products),
  };
}

/** Of each query head, what every position received over all calls. */
function sumsByPosition({ config }: TinyModel, calls: readonly PrefillCall[], layer: number): Map<number, number>[] {
  const { kvHeads, queryHeads } = config;
  const totals = range(0, queryHeads).map(() => new Map<number, number>());
  for (const { result } of calls) {
    const { positions } = result.layers[layer] ?? assert.fail("no layer");
    const sums = result.columnSums?.[layer] ?? assert.fail("no sums");
    const length = positions.length / kvHeads;
    for (const [head, total] of totals.entries()) {
      const kvHead = Math.floor((head * kvHeads) / queryHeads);
      for (let i = 0; i < length; i++) {
        const position = positions[kvHead * length + i] ?? -1;
        total.set(position, (total.get(position) ?? 0) + (sums[head * length + i] ?? Number.NaN));
      }
    }
  }
  return totals;
}

/** The queries of all tokens so far, [token][query head][d]. */
function allQueries({ config }: TinyModel, calls: readonly PrefillCall[], layer: number): number[][][] {
  const { queryHeads, headDim } = config;
  return calls.flatMap(({ request, result }) => {
    const data = result.queries[layer] ?? assert.fail("no queries");
    const count = data.length / (queryHeads * headDim);
    assert.equal(count, Math.min(OBSERVED, request.tokens.length));
    return range(0, count).map((row) =>
      range(0, queryHeads).map((h) => [...data.subarray((h * count + row) * headDim, (h * count + row + 1) * headDim)]),
    );
  });
}
