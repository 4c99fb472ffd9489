import { argmax } from "../argmax/webgpu.ts";
import { type GpuArrays, grid, MOST_GROUPS, parameters } from "../gpu/arrays.ts";
import rank from "../gpu/rank.wgsl" with { type: "text" };
import { once } from "../gpu/variants.ts";
import type { Sample } from "./index.ts";
import limit from "./limit.wgsl" with { type: "text" };
import place from "./place.wgsl" with { type: "text" };
import main from "./sample.wgsl" with { type: "text" };
import weights from "./weights.wgsl" with { type: "text" };

export const sample = (arrays: GpuArrays): Sample => {
  const { gpu } = arrays;
  const greedy = argmax(arrays);
  const program = once(gpu, {
    name: "sample",
    code: [rank, weights, place, limit, main].join("\n"),
    access: ["read", "read", "write"],
    constants: { MOST_GROUPS },
    parameters: true,
  });
  return (logits, draws, { temperature, topK, topP }, out) => {
    if (temperature === 0) return greedy(logits, out);
    const [rows = 0, columns = 0] = logits.dims;
    const fields = parameters(rows, columns, topK, { float: topP }, { float: temperature });
    gpu.dispatch(program(), [logits.block, draws.block, out.block], grid(rows, 1), fields);
  };
};
