import { type Reduction, reducedAttention, relative, sumOverQueries } from "../attention-blocks.ts";
import type { Sessions } from "../sessions.ts";
import { attentionShape } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import type { RelativeSums } from "./index.ts";

const SUMS: Reduction = {
  name: "relativeSums",
  reduce: (g, attention, seen) => sumOverQueries(g, relative(g, attention, seen), seen),
  join: (sum, block) => sum + block,
};

export const relativeSums =
  (sessions: Sessions): RelativeSums<Tensor> =>
  async (queries, keys, visibility) =>
    reducedAttention(sessions, SUMS, attentionShape("relativeSums", queries, keys), queries, keys, visibility);
