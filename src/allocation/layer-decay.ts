import { invalid } from "../options.ts";
import { overLayers } from "./over-layers.ts";
import type { FixedSchedule } from "./schedule.ts";

export interface LayerDecayOptions {
  /** What the top layer passes on of what it has, in (0, 1]; lower layers pass on more; default 0.9. */
  readonly decay?: number;
}

/**
 * PyramidInfer's schedule: each layer has a share of what the one below has, nearly all at the bottom and nearly `decay` at the top,
 * along half a cosine: `decay + (1 - decay) (1 + cos(pi l / L)) / 2` of layer l's is what layer l + 1 has. The published code
 * starts from the whole prompt; here the curve is scaled to the budget.
 *
 * @throws KvError `invalid_option` for another decay
 * @see https://arxiv.org/abs/2405.12532
 */
export function layerDecay({ decay = 0.9 }: LayerDecayOptions = {}): FixedSchedule {
  if (!(decay > 0 && decay <= 1)) throw invalid(["layerDecay", "decay"], decay, "a number in (0, 1]");
  return (sizes) => {
    const weights: number[] = [];
    for (let layer = 0, share = 1; layer < sizes.layers; layer++) {
      weights.push(share);
      share *= decay + ((1 - decay) * (1 + Math.cos((Math.PI * layer) / sizes.layers))) / 2;
    }
    return overLayers(weights, sizes);
  };
}
