import { type GpuArrays, grid, MOST_GROUPS, offsetsOf, parameters, run } from "../gpu/arrays.ts";
import { checkCounts, matrixShape } from "../shapes.ts";
import type { TopK } from "./index.ts";
import code from "./select.wgsl" with { type: "text" };

export const topK =
  (arrays: GpuArrays): TopK =>
  async (scores, counts) => {
    const [rows, columns] = matrixShape("topK", scores);
    checkCounts(rows, columns, counts);
    const offsets = offsetsOf(counts);
    using given = arrays.of(scores, "scores");
    using wanted = arrays.numbers(offsets, "offsets");
    using chosen = arrays.empty("topK", offsets.at(-1) ?? 0);
    run(
      arrays,
      { name: "topK", code, access: ["read", "read", "write"], constants: { MOST_GROUPS }, parameters: true },
      [given, wanted, chosen],
      grid(rows, 1),
      parameters(rows, columns),
    );
    const all = new Int32Array(await arrays.gpu.read(chosen.block));
    return counts.map((_, r) => all.slice(offsets[r], offsets[r + 1]));
  };
