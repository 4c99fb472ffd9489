import { attentionColumns } from "../attention-columns.ts";
import type { Tensor } from "../tensor.ts";
import type { AboveAverage } from "./index.ts";

export const aboveAverage: AboveAverage<Tensor> = async (queries, keys, visibility) =>
  attentionColumns("aboveAverage", queries, keys, visibility, (count, attention, seen) =>
    attention * seen >= 1 ? count + 1 : count,
  );
