/** Every kernel as plain loops: slow (quadratic where attention is), for tests and for reading. */
import { avgPool } from "./avg-pool/reference.ts";
import { columnSums } from "./column-sums/reference.ts";
import { gather } from "./gather/reference.ts";
import { groupMax } from "./group-max/reference.ts";
import { groupMean } from "./group-mean/reference.ts";
import type { Kernels } from "./kernels.ts";
import { keyNorms } from "./key-norms/reference.ts";
import { keySimilarity } from "./key-similarity/reference.ts";
import { maxPool } from "./max-pool/reference.ts";
import { nearestKeys } from "./nearest-keys/reference.ts";
import { topK } from "./top-k/reference.ts";
import { windowAttention } from "./window-attention/reference.ts";

/** The kernels that every backend is compared with. Holds nothing: disposing is free. */
export const referenceKernels = (): Kernels => ({
  windowAttention,
  columnSums,
  keyNorms,
  keySimilarity,
  nearestKeys,
  groupMean,
  groupMax,
  maxPool,
  avgPool,
  topK,
  gather,
  [Symbol.dispose]: () => undefined,
});
