/** What is made of all products of a head's vectors with others, none of which is ever held. */
import type { Source } from "../../src/gpu/index.ts";
import { type GpuArrays, type GpuTensor, parameters, run } from "./arrays.ts";
import productsCode from "./products.wgsl" with { type: "text" };

/** Vectors of a tile. */
const TILE = 64;

/**
 * Runs a kernel over products: what it brings is listed in products.wgsl.
 *
 * @param vectors [KH, n, d]
 * @param rows R = KH * G: those of KV head floor(r / G) are multiplied with the others of row r
 * @param others how many a row has, where all have the same
 * @param bound what the kernel reads and writes, from binding 2 on
 */
export function overProducts(
  arrays: GpuArrays,
  { name, code, access }: Pick<Source, "name" | "code" | "access">,
  vectors: GpuTensor,
  rows: number,
  others: number,
  bound: readonly GpuTensor[],
): void {
  const [kvHeads = 0, length = 0, size = 0] = vectors.dims;
  run(
    arrays,
    { name, code: `${code}\n${productsCode}`, access: ["read", ...access], parameters: true },
    [vectors, ...bound],
    [Math.ceil(length / TILE), rows],
    parameters(length, rows / kvHeads, Math.ceil(size / 4), rows, others),
  );
}
