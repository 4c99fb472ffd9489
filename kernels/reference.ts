/** Every kernel as plain loops: slow (quadratic where attention is), for tests and for reading. */
import { aboveAverage } from "./above-average/reference.ts";
import { avgPool } from "./avg-pool/reference.ts";
import { beforeRope } from "./before-rope/reference.ts";
import { chunkAttention } from "./chunk-attention/reference.ts";
import { columnMax } from "./column-max/reference.ts";
import { columnSums } from "./column-sums/reference.ts";
import { gather } from "./gather/reference.ts";
import { groupMax } from "./group-max/reference.ts";
import { groupMean } from "./group-mean/reference.ts";
import type { Kernels } from "./kernels.ts";
import { keyNorms } from "./key-norms/reference.ts";
import { keySimilarity } from "./key-similarity/reference.ts";
import { leverage } from "./leverage/reference.ts";
import { maxPool } from "./max-pool/reference.ts";
import { moments } from "./moments/reference.ts";
import { nearestKeys } from "./nearest-keys/reference.ts";
import { projectedNorms } from "./projected-norms/reference.ts";
import { projections } from "./projections/reference.ts";
import { quadraticForms } from "./quadratic-forms/reference.ts";
import { relativeSums } from "./relative-sums/reference.ts";
import type { Tensor } from "./tensor.ts";
import { topK } from "./top-k/reference.ts";
import { valueNorms } from "./value-norms/reference.ts";
import { windowAttention } from "./window-attention/reference.ts";
import { windowStatistics } from "./window-statistics/reference.ts";

/** The kernels that every backend is compared with. Holds nothing: disposing is free. */
export const referenceKernels = (): Kernels<Tensor> => ({
  windowAttention,
  columnSums,
  chunkAttention,
  projections,
  quadraticForms,
  columnMax,
  relativeSums,
  aboveAverage,
  moments,
  beforeRope,
  leverage,
  keyNorms,
  keySimilarity,
  valueNorms,
  projectedNorms,
  nearestKeys,
  groupMean,
  groupMax,
  maxPool,
  avgPool,
  topK,
  gather,
  windowStatistics,
  read: async (array) => array,
  [Symbol.dispose]: () => undefined,
});
