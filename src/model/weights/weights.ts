/**
 * The weights of a model, whatever file they come from.
 *
 * Tensors carry Hugging Face's names (`model.layers.0.self_attn.q_proj.weight`) and row-major shapes ([out, in]); readers of
 * other formats translate names, and undo whatever their format did to the rows. Values are read by range and given as
 * fp32, exactly as the stored type defines them; nothing is held in memory after a read.
 */

import type { QuantisedMatrix } from "./quantised.ts";

/** Stored element types this project reads. */
export type WeightType = "F32" | "F16" | "BF16" | "Q8_0" | "Q4_0" | "Q4_1" | "Q5_0" | "Q5_1" | KQuantType;

/** GGUF's types of super-blocks of 256. */
export type KQuantType = "Q2_K" | "Q3_K" | "Q4_K" | "Q5_K" | "Q6_K";

export interface WeightInfo {
  readonly name: string;
  readonly type: WeightType;
  /** Row-major: [rows, columns] for a matrix, [length] for a vector. */
  readonly shape: readonly number[];
}

/** Some rows of a matrix as a tensor of its own. */
export interface TensorPart {
  readonly name: string;
  /** The stored tensor that it is of. */
  readonly of: string;
  readonly from: number;
  readonly rows: number;
}

export interface Weights extends Disposable {
  /** Every tensor, in file order. */
  readonly tensors: readonly WeightInfo[];
  /** The files the tensors come from, for messages and provenance. */
  readonly files: readonly string[];
  has(name: string): boolean;
  /** @throws KvError `missing_tensor` */
  info(name: string): WeightInfo;
  /**
   * The whole tensor as fp32.
   *
   * @param into filled and given back instead of a new array; exactly as long as the tensor
   * @throws KvError `missing_tensor`, `corrupt_file`, `disposed`
   */
  read(name: string, into?: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer>;
  /**
   * Rows of a matrix as fp32, one after the other: [rows.length, columns]. Reads only those rows, so that an embedding
   * table need not stay in memory.
   */
  readRows(name: string, rows: ArrayLike<number>): Float32Array<ArrayBuffer>;
  /** A matrix of a quantised type in its own blocks, for whole-number products; null for what is not one. @throws KvError `missing_tensor` */
  quantised(name: string): QuantisedMatrix | null;
  /**
   * The same files with fused matrices taken apart: their parts are there instead of them. Disposing either closes both.
   *
   * @throws KvError `missing_tensor`, `wrong_shape` where parts are not all of a matrix
   */
  split(parts: readonly TensorPart[]): Weights;
  /**
   * What changes when the files do: their paths, sizes, inodes and times as the system has them now, null if there are none.
   * Free, where `sha256` takes a second per GB; a file moved or touched gets another identity with the same content.
   */
  identity(): string | null;
  /** SHA-256 of the weight file (of the per-file digests, in `files` order, when there are several), hex; computed once. */
  sha256(): Promise<string>;
}
