import { attentionColumns } from "../attention-columns.ts";
import type { Tensor } from "../tensor.ts";
import type { RelativeSums } from "./index.ts";

export const relativeSums: RelativeSums<Tensor> = async (queries, keys, visibility) =>
  attentionColumns("relativeSums", queries, keys, visibility, (sum, attention, seen) => sum + attention * seen);
