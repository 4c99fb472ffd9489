/** What scores and schedules ask of the window's attention beyond its sum. */
import type { Kernels } from "../../kernels/index.ts";
import { lastQueries } from "./observed.ts";
import type { LayerObservation } from "./score.ts";

/** Sums, squares and entropies of the attention of the last `window` queries to the keys before them. */
export const windowMoments = (view: LayerObservation, window: number): ReturnType<Kernels["windowStatistics"]> =>
  view.kernels.windowStatistics(lastQueries(view, window), view.keys, new Float32Array(window).fill(1), view);

/** Of `count` numbers with this sum and this sum of squares; rounding may not make it negative. */
export const sampleVariance = (sum: number, squares: number, count: number): number =>
  Math.max(0, (squares - sum ** 2 / count) / (count - 1));
