import type { GpuArrays } from "../gpu/arrays.ts";
import { attentionColumns, causal } from "../gpu/attention.ts";
import { attentionShape } from "../shapes.ts";
import type { AboveAverage } from "./index.ts";

export const aboveAverage =
  (arrays: GpuArrays): AboveAverage =>
  async (queries, keys, visibility) => {
    using attention = causal(arrays, attentionShape("aboveAverage", queries, keys), queries, keys, visibility);
    return arrays.result(
      attentionColumns(arrays, "aboveAverage", attention, "return before + select(0.0, 1.0, attention * seen >= 1.0);"),
    );
  };
