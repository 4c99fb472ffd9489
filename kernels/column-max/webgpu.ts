import type { GpuArrays } from "../gpu/arrays.ts";
import { attentionColumns, causal } from "../gpu/attention.ts";
import { attentionShape } from "../shapes.ts";
import type { ColumnMax } from "./index.ts";

export const columnMax =
  (arrays: GpuArrays): ColumnMax =>
  async (queries, keys, visibility) => {
    using attention = causal(arrays, attentionShape("columnMax", queries, keys), queries, keys, visibility);
    return arrays.result(attentionColumns(arrays, "columnMax", attention, "return max(before, attention);"));
  };
