/** Every merge by name, over which the laws run. */
import { camMerge } from "./cam.ts";
import { d2oMerge } from "./d2o.ts";
import { kvMerger } from "./kvmerger.ts";
import { averagedMerge, pivotalMerge, weightedMerge } from "./look-m.ts";
import type { Merge } from "./merge.ts";

export const mergeRegistry = {
  averaged: averagedMerge,
  pivotal: pivotalMerge,
  weighted: weightedMerge,
  d2o: d2oMerge,
  kvmerger: kvMerger,
  cam: camMerge,
} as const satisfies Record<string, () => Merge>;
