import { attentionColumns } from "../attention-columns.ts";
import type { AboveAverage } from "./index.ts";

export const aboveAverage: AboveAverage = async (queries, keys, visibility) =>
  attentionColumns("aboveAverage", queries, keys, visibility, (count, attention, seen) =>
    attention * seen >= 1 ? count + 1 : count,
  );
