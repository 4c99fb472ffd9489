import type { Tensor } from "../../kernels/index.ts";
import type { LayerView } from "./score.ts";

/** The candidates' vectors of each head: [heads, n, d] -> [heads, to - from, d]. */
export function candidateRows({ data, dims }: Tensor, { candidates: { from, to } }: LayerView): Tensor {
  const [heads = 0, length = 0, size = 0] = dims;
  if (from === 0 && to === length) return { data, dims };
  const width = (to - from) * size;
  const rows = new Float32Array(heads * width);
  for (let head = 0; head < heads; head++) {
    const start = (head * length + from) * size;
    rows.set(data.subarray(start, start + width), head * width);
  }
  return { data: rows, dims: [heads, to - from, size] };
}
