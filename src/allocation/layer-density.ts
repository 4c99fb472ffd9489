import { sampleVariance } from "simple-statistics";
import { row } from "../../kernels/tensor.ts";
import { observedColumnSums } from "../scoring/observed.ts";
import { eachLayer } from "./each-layer.ts";
import { overLayers } from "./over-layers.ts";
import type { Schedule } from "./schedule.ts";

/** As published: what keeps a layer whose heads are all alike from dividing by zero. */
const EPSILON = 1e-6;

/**
 * D2O's layer discrimination: layers whose attention is dense, spread over all keys, get more than those where it gathers on a few.
 *
 * Of each query head the variance, over keys, of the attention that each received from all queries; the variances of a layer are scaled
 * from their minimum (0) to their maximum (1), as the published code does, and averaged to F. The budget goes in proportion
 * to `exp(-F)`: so between layers it varies by a factor of e at most. The published code leaves the two lowest layers and the
 * highest uncompressed; here they count like the others, so that the total is exact.
 *
 * @see https://arxiv.org/abs/2406.13035
 */
export function layerDensity(): Schedule {
  const schedule: Schedule = async (request) => {
    const density = await eachLayer(request, async (view) => {
      const sums = observedColumnSums(view);
      const [heads = 0] = sums.dims;
      const variances = Array.from({ length: heads }, (_, head) => sampleVariance(Array.from(row(sums, head))));
      const [least, most] = [Math.min(...variances), Math.max(...variances)];
      const scaled = variances.reduce((total, one) => total + (one - least) / (most - least + EPSILON), 0);
      return Math.exp(-scaled / heads);
    });
    return overLayers(density, request);
  };
  return Object.assign(schedule, { needs: { columnSums: true } });
}
