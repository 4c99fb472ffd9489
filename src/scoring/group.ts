import { step } from "./score.ts";

/** Mean over the query heads that read one KV head: [H, m] -> [KH, m]. */
export const meanOverGroup = step("meanOverGroup", (scores, { kernels, kvHeads }) =>
  kernels.groupMean(scores, kvHeads),
);

/** Maximum over the query heads that read one KV head: [H, m] -> [KH, m]. */
export const maxOverGroup = step("maxOverGroup", (scores, { kernels, kvHeads }) => kernels.groupMax(scores, kvHeads));
