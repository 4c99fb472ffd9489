import { sampleVariance } from "simple-statistics";
import { row } from "../../kernels/tensor.ts";
import { invalid } from "../options.ts";
import { observedColumnSums } from "../scoring/observed.ts";
import { eachLayer } from "./each-layer.ts";
import { type Schedule, type ScheduleSizes, sameForHeads } from "./schedule.ts";
import { shareOut } from "./share-out.ts";

export interface LayerDensityOptions {
  /** Lowest layers of the network that keep all of the prompt, as far as the budget goes, >= 0; default 0. The published code: 2. */
  readonly exemptLowest?: number;
  /** Highest layers, likewise; default 0. The published code: 1. */
  readonly exemptHighest?: number;
}

/** As published: what keeps a layer whose heads are all alike from dividing by zero. */
const EPSILON = 1e-6;

/**
 * D2O's layer discrimination: layers whose attention is dense, spread over all keys, get more than those where it gathers on a few.
 *
 * Of each query head the variance, over keys, of the attention that each received from all queries; the variances of a layer are scaled
 * from their minimum (0) to their maximum (1), as the published code does, and averaged to F. The budget goes in proportion
 * to `exp(-F)`: so between layers it varies by a factor of e at most.
 *
 * The published code never compresses the two lowest layers and the highest, whatever that costs. Here exempt layers are served first, and
 * the others share what they leave: the total is exact, and at a budget that the exempt could take alone the others have nothing to choose.
 *
 * @throws KvError `invalid_option` for other numbers of layers
 * @see https://arxiv.org/abs/2406.13035
 */
export function layerDensity({ exemptLowest = 0, exemptHighest = 0 }: LayerDensityOptions = {}): Schedule {
  for (const [option, value] of Object.entries({ exemptLowest, exemptHighest }))
    if (!(Number.isSafeInteger(value) && value >= 0)) throw invalid(["layerDensity", option], value, "an integer >= 0");
  const schedule: Schedule = async (request) => {
    const density = await eachLayer(request, async (view) => {
      const sums = observedColumnSums(view);
      const [heads = 0] = sums.dims;
      const variances = Array.from({ length: heads }, (_, head) => sampleVariance(Array.from(row(sums, head))));
      const [least, most] = [Math.min(...variances), Math.max(...variances)];
      const scaled = variances.reduce((total, one) => total + (one - least) / (most - least + EPSILON), 0);
      return Math.exp(-scaled / heads);
    });
    const { depth, numbers } = request.within ?? { depth: request.layers, numbers: [...density.keys()] };
    const isExempt = numbers.map((layer) => layer < exemptLowest || layer >= depth - exemptHighest);
    return sameForHeads(servedFirst(isExempt, density, request), request.kvHeads);
  };
  return Object.assign(schedule, { needs: { columnSums: true } });
}

/** Counts of which some places have all that there is to have, and the others what that leaves, in proportion to their weights. */
function servedFirst(
  isServed: readonly boolean[],
  weights: readonly number[],
  { layers, mean, limit }: ScheduleSizes,
): readonly number[] {
  const total = Math.min(mean, limit) * layers;
  const served = isServed.filter((is) => is).map(() => 1);
  const taken = Math.min(total, served.length * limit);
  const others = weights.filter((_, layer) => isServed[layer] !== true);
  const counts = [shareOut(served, taken, limit).values(), shareOut(others, total - taken, limit).values()] as const;
  return isServed.map((is) => counts[is ? 0 : 1].next().value ?? 0);
}
