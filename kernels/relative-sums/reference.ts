import { attentionColumns } from "../attention-columns.ts";
import type { RelativeSums } from "./index.ts";

export const relativeSums: RelativeSums = async (queries, keys, visibility) =>
  attentionColumns("relativeSums", queries, keys, visibility, (sum, attention, seen) => sum + attention * seen);
