import { KvError } from "../error.ts";
import { type Step, step } from "./score.ts";

/**
 * Gives a share of each score to the tokens that follow, because what is looked at now is read on from later: a score fades by `fade` with
 * every token, and each candidate has the highest that reaches it. [r, m] -> [r, m], of scores >= 0
 *
 * @param fade in [0, 1); 0 leaves scores as they are
 * @throws KvError `invalid_option` for another
 */
export function readOn(fade: number): Step {
  if (!(fade >= 0 && fade < 1))
    throw new KvError({ code: "invalid_option", path: ["readOn", "fade"], found: fade, allowed: "in [0, 1)" });
  return step(`readOn(${fade})`, async ({ data, dims }, { positions, length, kvHeads, candidates: { from } }) => {
    const [rows = 0, columns = 0] = dims;
    const reached = new Float32Array(data.length);
    for (let r = 0; r < rows; r++) {
      const head = Math.floor((r * kvHeads) / rows);
      const own = positions.subarray(head * length + from, head * length + from + columns);
      for (let i = 0, before = 0; i < columns; i++) {
        const apart = (own[i] ?? 0) - (own[i - 1] ?? 0);
        before = Math.max(data[r * columns + i] ?? 0, before * (apart === 1 ? fade : fade ** apart));
        reached[r * columns + i] = before;
      }
    }
    return { data: reached, dims };
  });
}
