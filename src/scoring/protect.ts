import { type Step, step } from "./score.ts";

/**
 * Puts some positions of the prompt above all others, such as a system prompt or the names in a document: they stay as long as the
 * budget has room. [KH, m] -> [KH, m]
 *
 * @param positions in the prompt
 */
export function protect(positions: Iterable<number>): Step {
  const chosen = new Set(positions);
  return step(`protect(${chosen.size} positions)`, async ({ data, dims }, view) => {
    const { from, to } = view.candidates;
    const columns = to - from;
    const lifted = data.map((score, i) => {
      const [head, column] = [Math.floor(i / columns), i % columns];
      return chosen.has(view.positions[head * view.length + from + column] ?? -1) ? Number.POSITIVE_INFINITY : score;
    });
    return { data: lifted, dims };
  });
}
