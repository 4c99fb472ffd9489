/** What work comes to, by its sizes alone: bytes that must be moved, operations, and the bytes that a cache's law allows. */
import { PAGE } from "../../kernels/paged-attention/index.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import type { StoredAs } from "./random-weights.ts";

const FLOAT_BYTES = 4;

/** A matrix product's shape: [outputs, inputs], and how many of it a token meets. */
export interface Product {
  readonly name: string;
  readonly outputs: number;
  readonly inputs: number;
  readonly count: number;
}

/** The products of a layer as the engine makes them, fused where it does. */
export function layerProducts({
  layers,
  hiddenSize,
  intermediateSize,
  queryHeads,
  kvHeads,
  headDim,
}: ModelConfig): readonly Product[] {
  const width = queryHeads * headDim;
  const product = (name: string, outputs: number, inputs: number): Product => ({
    name,
    outputs,
    inputs,
    count: layers,
  });
  return [
    product("queries, keys, values", width + 2 * kvHeads * headDim, hiddenSize),
    product("attention's output", hiddenSize, width),
    product("gate and up", 2 * intermediateSize, hiddenSize),
    product("down", hiddenSize, intermediateSize),
  ];
}

/** All products that a decoded token meets. */
export const tokenProducts = (config: ModelConfig): readonly Product[] => [
  ...layerProducts(config),
  { name: "logits", outputs: config.vocabSize, inputs: config.hiddenSize, count: 1 },
];

/** Two operations for each number of the matrix and row. */
export const productFlops = ({ outputs, inputs }: Product, rows: number): number => 2 * outputs * inputs * rows;

/** Scores and mixing of one layer's last `rows` of `length` tokens: two operations each for every channel, query head and token seen. */
export const attentionFlops = ({ queryHeads, headDim }: ModelConfig, rows: number, length: number): number =>
  4 * queryHeads * headDim * (rows * (length - rows) + (rows * (rows + 1)) / 2);

/** Bytes of a number; Q4_0's scale of 2 bytes is shared by 32. */
const NUMBER_BYTES: Readonly<Record<StoredAs, number>> = { Q4_0: 1 / 2 + 2 / 32, F16: 2, F32: FLOAT_BYTES };

/** Bytes of a product's matrix. */
export const storedBytes = ({ outputs, inputs }: Product, type: StoredAs): number =>
  outputs * inputs * NUMBER_BYTES[type];

/** Bytes of keys and values of so many entries of a KV head. */
export const entryBytes = (entries: number, headDim: number): number => entries * headDim * 2 * FLOAT_BYTES;

/** The law of memory: what is evicted takes none, so that a cache has its budget's entries in every KV head of every layer, on average. */
export const lawBytes = ({ layers, kvHeads, headDim }: ModelConfig, budget: number): number =>
  entryBytes(layers * kvHeads * budget, headDim);

/** The same to the page, of the entries that each KV head of each layer holds. */
export const pagedBytes = (lengths: readonly (readonly number[])[], headDim: number): number =>
  entryBytes(
    lengths.flat().reduce((sum, length) => sum + Math.ceil(length / PAGE) * PAGE, 0),
    headDim,
  );

/** Bytes that a step must read: the matrices of its products, and so many entries of KV heads. */
export function stepBytes(config: ModelConfig, type: StoredAs, entries: number): number {
  const weights = tokenProducts(config).reduce((sum, product) => sum + product.count * storedBytes(product, type), 0);
  return weights + entryBytes(entries, config.headDim);
}
