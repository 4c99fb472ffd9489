import { step } from "./score.ts";

/** Less than this is no spread. */
const LEAST_DEVIATION = 1e-6;

/** A layer's scores less their mean, divided by their standard deviation, over all its heads together: [KH, m] -> [KH, m]. */
export const standardise = step("standardise", async ({ data, dims }) => {
  const mean = data.reduce((sum, score) => sum + score, 0) / data.length;
  const squares = data.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  const deviation = Math.max(LEAST_DEVIATION, Math.sqrt(squares / Math.max(1, data.length - 1)));
  return { data: data.map((score) => (score - mean) / deviation), dims };
});
