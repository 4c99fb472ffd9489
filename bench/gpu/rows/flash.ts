import { flashAttention } from "../../../kernels/flash-attention/webgpu.ts";
import type { Lab } from "../lab.ts";
import { amount, duration, type Line, percent, told } from "../line.ts";
import { timed } from "../measure.ts";
import { noise } from "../noise.ts";
import { attentionFlops } from "../work.ts";

/** A prompt's attention, which grows with its square while all else grows with its length: one layer, its last chunk. */
export async function flash(lab: Lab): Promise<readonly Line[]> {
  const { arrays, gpu, scale } = lab;
  const { chunk, prompt: length, config } = scale;
  const { queryHeads, kvHeads, headDim } = config;
  const ceiling = await lab.f32();
  using queries = noise(arrays, "queries", 9, queryHeads, chunk, headDim);
  using keys = noise(arrays, "keys", 10, kvHeads, length, headDim);
  using values = noise(arrays, "values", 11, kvHeads, length, headDim);
  using out = arrays.empty("attention", chunk, queryHeads * headDim);
  const kernel = flashAttention(arrays, headDim);
  const inputs = { queries, keys, values, length, slidingWindow: null };
  const { median } = await timed(gpu, scale, () => kernel(inputs, out));
  const flops = attentionFlops(config, chunk, length);
  return [
    told(
      `prefill attention, one layer: the last ${chunk} of ${length} tokens`,
      `${amount(flops / median, "FLOP/s")} (${duration(median)})`,
      { seconds: median, flops, flopsPerSecond: flops / median },
      `${amount(ceiling, "FLOP/s")} f32 in registers`,
      percent(flops / median / ceiling),
    ),
  ];
}
