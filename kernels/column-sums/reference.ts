import { attentionColumns } from "../attention-columns.ts";
import type { Tensor } from "../tensor.ts";
import type { ColumnSums } from "./index.ts";

export const columnSums: ColumnSums<Tensor> = async (queries, keys, visibility) =>
  attentionColumns("columnSums", queries, keys, visibility, (sum, attention) => sum + attention);
