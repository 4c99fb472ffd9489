/** Merges: what evicted entries leave in kept ones, for `merged(method, merge)`. */
export { type CamOptions, camMerge } from "./cam.ts";
export { d2oMerge } from "./d2o.ts";
export { type KVMergerOptions, kvMerger } from "./kvmerger.ts";
export { averagedMerge, pivotalMerge, weightedMerge } from "./look-m.ts";
export type { Merge, MergeView, MergeWeights, Pairs } from "./merge.ts";
export { mergeRegistry } from "./registry.ts";
