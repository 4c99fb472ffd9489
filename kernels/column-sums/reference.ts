import { attentionColumns } from "../attention-columns.ts";
import type { ColumnSums } from "./index.ts";

export const columnSums: ColumnSums = async (queries, keys, visibility) =>
  attentionColumns("columnSums", queries, keys, visibility, (sum, attention) => sum + attention);
