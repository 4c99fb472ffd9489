/** From a method and what prefill observed to the positions that each layer and KV head keeps. */
import { KvError } from "../error.ts";
import { rankable } from "../scoring/rankable.ts";
import type { LayerObservation, LayerView, Score } from "../scoring/score.ts";
import type { Method } from "./method.ts";

/** Kept positions, ascending, always-kept ones included: [layer][kvHead]. */
export type Selection = readonly (readonly Int32Array[])[];

/** The layers of a prefill, lowest first: an array, or anything that makes them one at a time. */
export interface Layers {
  readonly length: number;
  at(layer: number): LayerObservation | Promise<LayerObservation> | undefined;
}

/**
 * Applies a method to one prefill. A prompt of at most `budget` tokens is kept whole.
 *
 * @returns for each layer and KV head the kept positions, ascending
 * @throws KvError `observation_missing` when prefill did not observe what the method needs, `engine_failed` when scores are NaN
 */
export async function select(method: Method, layers: Layers): Promise<Selection> {
  if (layers.length === 0) return [];
  const lowest = await layerAt(layers, 0);
  const { length, kvHeads } = lowest;
  if (length <= method.budget) {
    return Array.from({ length: layers.length }, () => Array.from({ length: kvHeads }, () => range(0, length)));
  }
  const candidates = { from: method.keep.first, to: length - method.keep.last };
  const limit = candidates.to - candidates.from;
  const kept = length - limit;
  const counts = method.allocate({ layers: layers.length, kvHeads, mean: method.budget - kept, limit, kept });
  const selection: Int32Array[][] = [];
  for (let layer = 0; layer < layers.length; layer++) {
    const observed = layer === 0 ? lowest : await layerAt(layers, layer);
    selection.push(await selectLayer(method, { ...observed, candidates }, counts[layer] ?? []));
  }
  return selection;
}

async function selectLayer(method: Method, view: LayerView, counts: readonly number[]): Promise<Int32Array[]> {
  const { from, to } = view.candidates;
  const { name, score } = method;
  const chosen = score === null ? counts.map(() => new Int32Array(0)) : await highest(name, score, view, counts);
  return chosen.map((columns) => {
    const positions = new Int32Array(from + columns.length + view.length - to);
    positions.set(range(0, from));
    positions.set(
      columns.map((column) => from + column),
      from,
    );
    positions.set(range(to, view.length), from + columns.length);
    return positions;
  });
}

async function highest(name: string, score: Score, view: LayerView, counts: readonly number[]) {
  const { from, to } = view.candidates;
  const scores = await score.evaluate(view); // [KH, to - from]
  if (scores.dims[0] !== view.kvHeads || scores.dims[1] !== to - from) {
    const allowed = `[${view.kvHeads}, ${to - from}], one row per KV head and one column per candidate`;
    throw new KvError({ code: "wrong_shape", path: [name, "score"], found: scores.dims, allowed });
  }
  return view.kernels.topK(rankable(scores, view), counts);
}

async function layerAt(layers: Layers, layer: number): Promise<LayerObservation> {
  const observed = await layers.at(layer);
  if (observed !== undefined) return observed;
  const allowed = `the observation of one of ${layers.length} layers`;
  throw new KvError({ code: "observation_missing", path: ["layers", layer], found: undefined, allowed });
}

/** from, from + 1, ... to - 1 */
const range = (from: number, to: number): Int32Array => Int32Array.from({ length: to - from }, (_, i) => from + i);
