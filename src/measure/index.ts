/**
 * What is measured once on a model and then read by methods: how much each head retrieves, and what each head should keep. Files carry
 * what they were measured with and are refused on another model.
 */
export { measureCurves } from "./curves.ts";
export { loadCurves, loadHeads, type MeasuredWith, saveCurves, saveHeads } from "./files.ts";
export { measureHeads, type Retrieval } from "./heads.ts";
