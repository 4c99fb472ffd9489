import type { GpuArrays } from "../gpu/arrays.ts";
import { attentionColumns, causal } from "../gpu/attention.ts";
import { attentionShape } from "../shapes.ts";
import type { RelativeSums } from "./index.ts";

export const relativeSums =
  (arrays: GpuArrays): RelativeSums =>
  async (queries, keys, visibility) => {
    using attention = causal(arrays, attentionShape("relativeSums", queries, keys), queries, keys, visibility);
    return arrays.result(attentionColumns(arrays, "relativeSums", attention, "return before + attention * seen;"));
  };
