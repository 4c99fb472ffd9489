/** What prefill observed, as scoring policies see it: layer by layer. */
import type { Stored } from "../kernels/index.ts";
import type { Choosable } from "./context.ts";
import type { Model } from "./load.ts";
import { inverseFrequencies } from "./model/rope.ts";
import { promptText } from "./prompt.ts";
import type { LayerObservation } from "./scoring/score.ts";

/** What is of one layer alone. */
export type OfLayer = Pick<LayerObservation, "length" | "positions" | "keys" | "values" | "probes" | "prompt"> &
  Partial<Pick<LayerObservation, "queries" | "columnSums" | "queryMoments">>;

export function observations({ model, entries, length, observation, tokens }: Choosable): readonly LayerObservation[] {
  const prompt = tokens && promptText(model, tokens);
  return entries.places.map(({ positions }, layer) => {
    const queries = observation.queries[layer];
    const stored: { readonly keys: Stored; readonly values: Stored } = entries.stored(layer);
    return observationOf(model, layer, {
      length,
      positions,
      ...stored,
      ...(queries === undefined ? {} : { queries }),
      columnSums: observation.columnSums?.[layer] ?? null,
      queryMoments: observation.moments?.[layer] ?? null,
      probes: new Map(
        Array.from(observation.probes).flatMap(([name, seen]) => seen.slice(layer, layer + 1).map((of) => [name, of])),
      ),
      prompt,
    });
  });
}

export const observationOf = ({ config, engine }: Model, layer: number, of: OfLayer): LayerObservation => ({
  queries: { data: new Float32Array(0), dims: [config.queryHeads, 0, config.headDim] },
  columnSums: null,
  queryMoments: null,
  ...of,
  layer,
  kvHeads: config.kvHeads,
  slidingWindow: config.slidingWindow[layer] ?? null,
  frequencies: inverseFrequencies(config, layer),
  outputProjection: () => engine.outputProjection(layer),
  kernels: engine.kernels,
});
