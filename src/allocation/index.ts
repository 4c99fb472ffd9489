/** How a budget is split over layers and KV heads. See `schedule.ts` for what a schedule promises. */
export { type AdaptiveHeadsOptions, adaptiveHeads } from "./adaptive-heads.ts";
export { byScore } from "./by-score.ts";
export { globalHeads } from "./global-heads.ts";
export { type LazyLayersOptions, lazyLayers } from "./lazy-layers.ts";
export { pyramid } from "./pyramid.ts";
export type { Counts, FixedSchedule, Schedule, ScheduleRequest, ScheduleSizes } from "./schedule.ts";
export { uniform } from "./uniform.ts";
