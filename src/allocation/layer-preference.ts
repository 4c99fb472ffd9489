import { invalid } from "../options.ts";
import { sampleVariance, windowMoments } from "../scoring/window-moments.ts";
import { eachLayer } from "./each-layer.ts";
import { overLayers } from "./over-layers.ts";
import type { Schedule } from "./schedule.ts";

export interface LayerPreferenceOptions {
  /** Last queries that are looked at, >= 2. */
  readonly window: number;
  /** How little dispersion counts (tau_1), > 0; default 1. */
  readonly dispersion?: number;
  /** How little shift counts (tau_2), > 0; default 1. The paper searches both for each model. */
  readonly shift?: number;
}

/**
 * CAKE's schedule: layers whose attention is spread over many keys (entropy) and moves from query to query (variance) get more.
 *
 * A layer's preference is `H^(1 / dispersion) * V^(1 / shift)`, of the last `window` queries and the keys before them: H is the
 * entropy of their attention and V the variance over queries, both added up over all heads (V over keys, too). The budget goes in
 * proportion; the heads of a layer have the same.
 *
 * @throws KvError `invalid_option` for other options
 * @see https://arxiv.org/abs/2503.12491
 */
export function layerPreference({ window, dispersion = 1, shift = 1 }: LayerPreferenceOptions): Schedule {
  const path = "layerPreference";
  if (!(Number.isSafeInteger(window) && window >= 2)) throw invalid([path, "window"], window, "an integer >= 2");
  for (const [option, value] of Object.entries({ dispersion, shift }))
    if (!(Number.isFinite(value) && value > 0)) throw invalid([path, option], value, "a finite number > 0");
  const schedule: Schedule = async (request) => {
    const preferences = await eachLayer(request, async (view) => {
      const { sums, squares, entropies } = await windowMoments(view, window);
      const entropy = entropies.data.reduce((total, of) => total + of, 0);
      const variance = sums.data.reduce(
        (total, sum, i) => total + sampleVariance(sum, squares.data[i] ?? 0, window),
        0,
      );
      return Math.max(0, entropy) ** (1 / dispersion) * variance ** (1 / shift);
    });
    return overLayers(preferences, request);
  };
  return Object.assign(schedule, { needs: { queries: window } });
}
