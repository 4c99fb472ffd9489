import { type Reduction, reducedAttention } from "../attention-blocks.ts";
import type { Sessions } from "../sessions.ts";
import { attentionShape } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import type { ColumnMax } from "./index.ts";

const MAXIMA: Reduction = {
  name: "columnMax",
  reduce: (g, attention) => g.op("ReduceMax", [attention, g.ints(1)], { keepdims: 1 }),
  join: Math.max,
};

export const columnMax =
  (sessions: Sessions): ColumnMax<Tensor> =>
  async (queries, keys, visibility) =>
    reducedAttention(sessions, MAXIMA, attentionShape("columnMax", queries, keys), queries, keys, visibility);
