import type { GpuArrays } from "../gpu/arrays.ts";
import { attentionColumns, freeing } from "../gpu/attention.ts";
import { chunkShape } from "../shapes.ts";
import type { ChunkAttention } from "./index.ts";

export const chunkAttention =
  (arrays: GpuArrays): ChunkAttention =>
  async (queries, keys, chunk) => {
    const shape = chunkShape("chunkAttention", queries, keys, chunk);
    const [q, k] = [arrays.vectors(queries, "queries"), arrays.vectors(keys, "keys")];
    using _ = freeing(q, k);
    const attention = { shape, queries: q, keys: k, slidingWindow: null, chunk, scale: 1 };
    return arrays.result(attentionColumns(arrays, "chunkAttention", attention, "return before + attention;"));
  };
