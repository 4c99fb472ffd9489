import { type Reduction, reducedAttention, sumOverQueries } from "../attention-blocks.ts";
import type { Sessions } from "../sessions.ts";
import { attentionShape } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import type { ColumnSums } from "./index.ts";

/** For the window's attention too. */
export const SUMS: Reduction = { name: "columnSums", reduce: sumOverQueries, join: (sum, block) => sum + block };

export const columnSums =
  (sessions: Sessions): ColumnSums<Tensor> =>
  async (queries, keys, visibility) =>
    reducedAttention(sessions, SUMS, attentionShape("columnSums", queries, keys), queries, keys, visibility);
