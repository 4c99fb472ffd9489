/** From a method and what prefill observed to the positions that each layer and KV head keeps. */

import type { ScheduleSizes } from "../allocation/schedule.ts";
import type { Selection } from "../cache/selection.ts";
import { KvError } from "../error.ts";
import { invalid } from "../options.ts";
import { rankable } from "../scoring/rankable.ts";
import type { LayerObservation, LayerView } from "../scoring/score.ts";
import type { Tensor } from "../tensor.ts";
import type { Method } from "./method.ts";
import { keptWindows } from "./sliding-layers.ts";

export type { Selection };

/** The layers of a prefill, lowest first: an array, or anything that makes them one at a time. */
export interface Layers {
  readonly length: number;
  at(layer: number): LayerObservation | Promise<LayerObservation> | undefined;
}

/**
 * Applies a method to one prefill. A prompt of at most `budget` tokens is kept whole.
 *
 * On a network with sliding and full layers the method sees the full ones and spends its budget on them; the others keep the
 * last tokens that fit their window, whatever the method.
 *
 * @returns for each layer and KV head the kept positions, ascending
 * @throws KvError `observation_missing` when prefill did not observe what the method needs, `engine_failed` when scores are NaN
 */
export async function select(method: Method, layers: Layers): Promise<Selection> {
  if (layers.length === 0) return [];
  const windows = keptWindows(await slidingWindows(layers));
  const open = [...windows.keys()].filter((layer) => windows[layer] === null);
  const chosen = await choose(method, layers, open);
  const { length, kvHeads } = await layerAt(layers, 0);
  const next = chosen.values();
  return windows.map((window) =>
    window === null ? (next.next().value ?? []) : sameForHeads(kvHeads, range(Math.max(0, length - window), length)),
  );
}

/** The windows of all layers. */
async function slidingWindows(layers: Layers): Promise<readonly (number | null)[]> {
  const windows: (number | null)[] = [];
  for (let layer = 0; layer < layers.length; layer++) windows.push((await layerAt(layers, layer)).slidingWindow);
  return windows;
}

/** What the method keeps of the layers that it chooses in. */
async function choose(method: Method, all: Layers, numbers: readonly number[]): Promise<readonly Int32Array[][]> {
  const layers: Layers = { length: numbers.length, at: (i) => layerAt(all, numbers[i] ?? i) };
  const lowest = await layerAt(layers, 0);
  const { length, kvHeads } = lowest;
  if (length <= method.budget) {
    return Array.from({ length: layers.length }, () => sameForHeads(kvHeads, range(0, length)));
  }
  const sizes = sizesFor(method, { length, kvHeads, depth: all.length, numbers });
  const candidates = candidatesOf(method, length);
  // Scored once, whoever asks first: a schedule that looks at scores, or the selection.
  const known = new Map<number, Promise<Tensor>>();
  const view = async (layer: number): Promise<LayerView> => ({
    ...(layer === 0 ? lowest : await layerAt(layers, layer)),
    candidates,
  });
  const scores = (layer: number): Promise<Tensor> => {
    const tensor = known.get(layer) ?? scoresOf(method, view(layer));
    known.set(layer, tensor);
    return tensor;
  };
  const counts = await method.allocate({ ...sizes, scores, view });
  const selection: Int32Array[][] = [];
  for (let layer = 0; layer < layers.length; layer++) {
    const own = counts[layer] ?? [];
    selection.push(await best(method, lowest, own, () => scores(layer)));
  }
  return selection;
}

/** A prompt's sizes, and those of a network of which some layers, by their numbers, share the budget. */
export interface ChoiceSizes {
  readonly length: number;
  readonly kvHeads: number;
  readonly depth: number;
  readonly numbers: readonly number[];
}

/** What schedules count with. */
export function sizesFor({ budget, keep }: Method, { kvHeads, depth, numbers, ...of }: ChoiceSizes): ScheduleSizes {
  const kept = keep.first + keep.last;
  const limit = of.length - kept;
  return { layers: numbers.length, within: { depth, numbers }, kvHeads, mean: budget - kept, limit, kept };
}

/** Positions that are open to choice. */
export const candidatesOf = ({ keep }: Method, length: number): LayerView["candidates"] => ({
  from: keep.first,
  to: length - keep.last,
});

/** Each head's positions: those of its highest scores, so many, and the always-kept ones. */
export async function best(
  method: Method,
  { length, kernels }: Pick<LayerObservation, "length" | "kernels">,
  counts: readonly number[],
  scores: () => Promise<Tensor>,
): Promise<Int32Array[]> {
  const { from, to } = candidatesOf(method, length);
  const chosen =
    method.score === null ? counts.map(() => new Int32Array(0)) : await kernels.topK(await scores(), counts);
  return chosen.map((columns) => {
    const positions = new Int32Array(from + columns.length + length - to);
    positions.set(range(0, from));
    positions.set(
      columns.map((column) => from + column),
      from,
    );
    positions.set(range(to, length), from + columns.length);
    return positions;
  });
}

/** A method's scores of a layer's candidates: [KH, to - from]. */
export async function scoresOf({ name, score }: Method, seen: LayerView | Promise<LayerView>): Promise<Tensor> {
  if (score === null) throw invalid([name, "allocate"], "by scores", "by sizes: this method has no scores");
  const view = await seen;
  const columns = view.candidates.to - view.candidates.from;
  const scores = await score.evaluate(view);
  if (scores.dims[0] === view.kvHeads && scores.dims[1] === columns) return rankable(scores, view);
  const allowed = `[${view.kvHeads}, ${columns}], one row per KV head and one column per candidate`;
  throw new KvError({ code: "wrong_shape", path: [name, "score"], found: scores.dims, allowed });
}

async function layerAt(layers: Layers, layer: number): Promise<LayerObservation> {
  const observed = await layers.at(layer);
  if (observed !== undefined) return observed;
  const allowed = `the observation of one of ${layers.length} layers`;
  throw new KvError({ code: "observation_missing", path: ["layers", layer], found: undefined, allowed });
}

export const sameForHeads = (kvHeads: number, positions: Int32Array): Int32Array[] =>
  new Array<Int32Array>(kvHeads).fill(positions);

/** from, from + 1, ... to - 1 */
export const range = (from: number, to: number): Int32Array =>
  Int32Array.from({ length: to - from }, (_, i) => from + i);
