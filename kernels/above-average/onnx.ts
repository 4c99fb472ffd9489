import { ELEMENT } from "../../src/onnx/schema.ts";
import { type Reduction, reducedAttention, relative, sumOverQueries } from "../attention-blocks.ts";
import type { Sessions } from "../sessions.ts";
import { attentionShape } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import type { AboveAverage } from "./index.ts";

const COUNTS: Reduction = {
  name: "aboveAverage",
  reduce(g, attention, seen) {
    const isAbove = g.op("GreaterOrEqual", [relative(g, attention, seen), g.float(1)]);
    return sumOverQueries(g, g.op("Cast", [isAbove], { to: ELEMENT.float32 }), seen);
  },
  join: (count, block) => count + block,
};

export const aboveAverage =
  (sessions: Sessions): AboveAverage<Tensor> =>
  async (queries, keys, visibility) =>
    reducedAttention(sessions, COUNTS, attentionShape("aboveAverage", queries, keys), queries, keys, visibility);
