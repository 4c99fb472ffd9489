/** What an engine brings: one function a kernel, on its own device. Each kernel's folder says what it promises. */
import type { AboveAverage } from "./above-average/index.ts";
import type { AvgPool } from "./avg-pool/index.ts";
import type { BeforeRope } from "./before-rope/index.ts";
import type { ChunkAttention } from "./chunk-attention/index.ts";
import type { ColumnMax } from "./column-max/index.ts";
import type { ColumnSums } from "./column-sums/index.ts";
import type { Gather } from "./gather/index.ts";
import type { GroupMax } from "./group-max/index.ts";
import type { GroupMean } from "./group-mean/index.ts";
import type { KeyNorms } from "./key-norms/index.ts";
import type { KeySimilarity } from "./key-similarity/index.ts";
import type { Leverage } from "./leverage/index.ts";
import type { MaxPool } from "./max-pool/index.ts";
import type { Moments } from "./moments/index.ts";
import type { NearestKeys } from "./nearest-keys/index.ts";
import type { ProjectedNorms } from "./projected-norms/index.ts";
import type { Projections } from "./projections/index.ts";
import type { QuadraticForms } from "./quadratic-forms/index.ts";
import type { RelativeSums } from "./relative-sums/index.ts";
import type { Kernel, Stored, Tensor } from "./tensor.ts";
import type { TopK } from "./top-k/index.ts";
import type { ValueNorms } from "./value-norms/index.ts";
import type { WindowAttention } from "./window-attention/index.ts";
import type { WindowStatistics } from "./window-statistics/index.ts";

/** @template A what keys and values may be: any engine's arrays, or only those in memory */
export interface Kernels<A extends Stored = Stored> extends Disposable {
  /** Brings an array into memory, where it is not there. */
  readonly read: Kernel<[array: A], Tensor>;
  /** Attention mass that the last w queries give to each earlier key: [H, w, d], [KH, n, d] -> [H, n - w]. */
  readonly windowAttention: WindowAttention<A>;
  /** Attention mass that the last s queries give to every key: [H, s, d], [KH, n, d] -> [H, n]. */
  readonly columnSums: ColumnSums<A>;
  /** Attention mass within chunks, in both directions and unscaled: [H, n, d], [KH, n, d] -> [H, n]. */
  readonly chunkAttention: ChunkAttention<A>;
  /** Products of keys with given vectors: [KH, n, d], [R, d] -> [R, n]. */
  readonly projections: Projections<A>;
  /** k' M k of each key k under given matrices: [KH, n, d], [R, d, d] -> [R, n]. */
  readonly quadraticForms: QuadraticForms<A>;
  /** The most that any of the last s queries gives to every key: [H, s, d], [KH, n, d] -> [H, n]. */
  readonly columnMax: ColumnMax<A>;
  /** The same sums of attention relative to what is even: [H, s, d], [KH, n, d] -> [H, n]. */
  readonly relativeSums: RelativeSums<A>;
  /** How many of the last s queries look at each key more than at the average one: [H, s, d], [KH, n, d] -> [H, n]. */
  readonly aboveAverage: AboveAverage<A>;
  /** Sums of vectors and of their products with themselves: [s, r, d] -> [r, d] and [r, d, d]. */
  readonly moments: Moments;
  /** Keys as they were before RoPE turned them to their positions: [KH, n, d], [KH, n], [d / 2] -> [KH, n, d]. */
  readonly beforeRope: BeforeRope<A>;
  /** How little each vector can be made of the others of its head, all shortened first: [KH, n, d], [d, k] -> [KH, n]. */
  readonly leverage: Leverage<A>;
  /** Length of each key: [KH, n, d] -> [KH, n]. */
  readonly keyNorms: KeyNorms<A>;
  /** Cosine of each key and the mean direction of its head's: [KH, n, d] -> [KH, n]. */
  readonly keySimilarity: KeySimilarity<A>;
  /** Sum of absolute values of each value: [KH, n, d] -> [KH, n]. */
  readonly valueNorms: ValueNorms<A>;
  /** The same of what each query head's output projection makes of it: [KH, n, d], [hidden, H * d] -> [H, n]. */
  readonly projectedNorms: ProjectedNorms<A>;
  /** Which of some rows of its head each key is most like, by cosine: [KH, n, d] -> places and cosines [KH, n]. */
  readonly nearestKeys: NearestKeys<A>;
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
  readonly gather: Gather<A>;
  /** Sums, squares and entropies of the attention of the last w queries to earlier keys: -> [H, n - w], [H, n - w], [H]. */
  readonly windowStatistics: WindowStatistics<A>;
}
