/** What an engine brings: one function a kernel, on its own device. Each kernel's folder says what it promises. */
import type { AvgPool } from "./avg-pool/index.ts";
import type { ColumnSums } from "./column-sums/index.ts";
import type { Gather } from "./gather/index.ts";
import type { GroupMax } from "./group-max/index.ts";
import type { GroupMean } from "./group-mean/index.ts";
import type { KeyNorms } from "./key-norms/index.ts";
import type { KeySimilarity } from "./key-similarity/index.ts";
import type { MaxPool } from "./max-pool/index.ts";
import type { NearestKeys } from "./nearest-keys/index.ts";
import type { TopK } from "./top-k/index.ts";
import type { WindowAttention } from "./window-attention/index.ts";

export interface Kernels extends Disposable {
  /** Attention mass that the last w queries give to each earlier key: [H, w, d], [KH, n, d] -> [H, n - w]. */
  readonly windowAttention: WindowAttention;
  /** Attention mass that the last s queries give to every key: [H, s, d], [KH, n, d] -> [H, n]. */
  readonly columnSums: ColumnSums;
  /** Length of each key: [KH, n, d] -> [KH, n]. */
  readonly keyNorms: KeyNorms;
  /** Cosine of each key and the mean direction of its head's: [KH, n, d] -> [KH, n]. */
  readonly keySimilarity: KeySimilarity;
  /** Which of some rows of its head each key is most like, by cosine: [KH, n, d] -> places and cosines [KH, n]. */
  readonly nearestKeys: NearestKeys;
  /** Mean over the query heads of each group: [H, m] -> [KH, m]. */
  readonly groupMean: GroupMean;
  /** Maximum over the query heads of each group: [H, m] -> [KH, m]. */
  readonly groupMax: GroupMax;
  /** Sliding maximum along each row: [r, m] -> [r, m]. */
  readonly maxPool: MaxPool;
  /** Sliding mean along each row: [r, m] -> [r, m]. */
  readonly avgPool: AvgPool;
  /** Columns of the highest scores, a count for each row: [r, m] -> r ascending lists. */
  readonly topK: TopK;
  /** Picks a list of rows of each KV head: [KH, n, d] -> flat [sum of the lists' lengths, d]. */
  readonly gather: Gather;
}
