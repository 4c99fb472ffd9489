import type { GpuArrays } from "../gpu/arrays.ts";
import { attentionColumns, causal } from "../gpu/attention.ts";
import { attentionShape } from "../shapes.ts";
import type { ColumnSums } from "./index.ts";

export const columnSums =
  (arrays: GpuArrays): ColumnSums =>
  async (queries, keys, visibility) => {
    using attention = causal(arrays, attentionShape("columnSums", queries, keys), queries, keys, visibility);
    return arrays.result(attentionColumns(arrays, "columnSums", attention, "return before + attention;"));
  };
