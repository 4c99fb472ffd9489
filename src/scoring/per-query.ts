import { step } from "./score.ts";

/**
 * Divides what accumulated over queries by how many could see each position, so that late tokens count as much as early ones:
 * [KH, m] -> [KH, m].
 */
export const perQuery = step("perQuery", async ({ data, dims }, { positions, length, candidates: { from, to } }) => {
  const tokens = positions.reduce((most, position) => Math.max(most, position), 0) + 1;
  const columns = to - from;
  const means = data.map((sum, i) => {
    const [head, column] = [Math.floor(i / columns), i % columns];
    return sum / (tokens - (positions[head * length + from + column] ?? 0));
  });
  return { data: means, dims };
});
