import { candidateColumns } from "./observed.ts";
import { type Step, step } from "./score.ts";

/**
 * Multiplies each score by the length of its value, since attention to a short value adds little: (score + epsilon) |v_j|.
 * [KH, m] -> [KH, m]
 *
 * @param epsilon so that long values count where no attention is expected; default 0
 */
export const timesValueLength = (epsilon = 0): Step =>
  step(`timesValueLength(${epsilon})`, async ({ data, dims }, view) => {
    const norms = candidateColumns(await view.kernels.keyNorms(view.values), view);
    return { data: data.map((score, i) => (score + epsilon) * (norms.data[i] ?? 0)), dims };
  });
