import { attentionColumns } from "../attention-columns.ts";
import type { ColumnMax } from "./index.ts";

export const columnMax: ColumnMax = async (queries, keys, visibility) =>
  attentionColumns("columnMax", queries, keys, visibility, (most, attention) => Math.max(most, attention));
