import { attentionColumns } from "../attention-columns.ts";
import type { Tensor } from "../tensor.ts";
import type { ColumnMax } from "./index.ts";

export const columnMax: ColumnMax<Tensor> = async (queries, keys, visibility) =>
  attentionColumns("columnMax", queries, keys, visibility, (most, attention) => Math.max(most, attention));
