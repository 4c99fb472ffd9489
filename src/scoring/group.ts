import { step } from "./score.ts";

/** Mean over the query heads that read one KV head: [H, m] -> [KH, m]. */
export const meanOverGroup = step("meanOverGroup", (scores, { kernels, kvHeads }) =>
  kernels.groupMean(scores, kvHeads),
);

/** Maximum over the query heads that read one KV head: [H, m] -> [KH, m]. */
export const maxOverGroup = step("maxOverGroup", (scores, { kernels, kvHeads }) => kernels.groupMax(scores, kvHeads));

/** Mean over all query heads of a layer, the same for every KV head: [H, m] -> [KH, m]. */
export const meanOverHeads = step("meanOverHeads", async (scores, { kernels, kvHeads }) => {
  const { data } = await kernels.groupMean(scores, 1);
  const all = new Float32Array(kvHeads * data.length);
  for (let head = 0; head < kvHeads; head++) all.set(data, head * data.length);
  return { data: all, dims: [kvHeads, data.length] };
});
