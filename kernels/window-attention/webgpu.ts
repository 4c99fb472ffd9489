import type { GpuArrays } from "../gpu/arrays.ts";
import { attentionColumns, causal } from "../gpu/attention.ts";
import { attentionShape } from "../shapes.ts";
import type { WindowAttention } from "./index.ts";

/** Column sums over the window's queries, of the keys before the window alone. */
export const windowAttention =
  (arrays: GpuArrays): WindowAttention =>
  async (queries, keys, visibility) => {
    const shape = attentionShape("windowAttention", queries, keys);
    using attention = causal(arrays, shape, queries, keys, visibility);
    const columns = shape.length - shape.queries;
    return arrays.result(attentionColumns(arrays, "windowAttention", attention, "return before + attention;", columns));
  };
