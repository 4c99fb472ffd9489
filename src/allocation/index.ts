/** How a budget is split over layers and KV heads. See `schedule.ts` for what a schedule promises. */
export { type AdaptiveHeadsOptions, adaptiveHeads } from "./adaptive-heads.ts";
export { alongCurves, type BudgetCurves, budgetCurves } from "./budget-curves.ts";
export { byScore } from "./by-score.ts";
export { globalHeads } from "./global-heads.ts";
export { type HeadImportanceOptions, headImportance } from "./head-importance.ts";
export { type HeadScores, headScores } from "./head-scores.ts";
export { type LayerDecayOptions, layerDecay } from "./layer-decay.ts";
export { type LayerDensityOptions, layerDensity } from "./layer-density.ts";
export { type LayerPreferenceOptions, layerPreference } from "./layer-preference.ts";
export { layerShares } from "./layer-shares.ts";
export { type LayerUncertaintyOptions, layerUncertainty } from "./layer-uncertainty.ts";
export { type LazyLayersOptions, lazyLayers } from "./lazy-layers.ts";
export { pyramid } from "./pyramid.ts";
export { type RetrievalHeadsOptions, retrievalHeads } from "./retrieval-heads.ts";
export type { Counts, FixedSchedule, Schedule, ScheduleRequest, ScheduleSizes } from "./schedule.ts";
export { shareOut } from "./share-out.ts";
export { uniform } from "./uniform.ts";
