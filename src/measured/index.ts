/**
 * Measurements: numbers that some methods need of a model, taken once on a corpus, saved, and loaded for the same model.
 *
 * A file holds fp32 tensors in safetensors, whose metadata say what was measured, on which weights (by their hash) and which corpus. On
 * other weights it is refused: such numbers would be wrong without looking so. Heads and curves are also what schedules take, `headScores`
 * and `budgetCurves` of plain values.
 */
export { type CurveOptions, loadCurves, type MeasuredCurves, measureCurves } from "./curves.ts";
export { loadMeasured, saveMeasured } from "./file.ts";
export { loadFilters, measureFilters } from "./filters.ts";
export { loadHeads, type MeasuredHeads, measureHeads, type Retrieval } from "./heads.ts";
export { loadQueryStatistics, measureQueryStatistics } from "./query-statistics.ts";
export type { MeasureOptions } from "./take.ts";
