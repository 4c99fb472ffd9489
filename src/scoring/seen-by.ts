import type { Tensor } from "../tensor.ts";
import { candidateColumns, probed } from "./observed.ts";
import type { Probe } from "./probe.ts";
import type { Score } from "./score.ts";

/** What a probe that is run after the prompt sees of each candidate, per query head: [H, to - from]. */
export const seenBy = (probe: Probe): Score => ({
  needs: { probes: [probe] },
  async evaluate(view) {
    return candidateColumns(probed(view, probe.name), view);
  },
});

/** The columns of a prompt of n tokens out of those of the prompt and what was run after it: [r, n + s] -> [r, n]. */
export function promptColumns({ data, dims: [rows = 0, columns = 0] }: Tensor, length: number): Tensor {
  const prompt = new Float32Array(rows * length);
  for (let r = 0; r < rows; r++) prompt.set(data.subarray(r * columns, r * columns + length), r * length);
  return { data: prompt, dims: [rows, length] };
}
