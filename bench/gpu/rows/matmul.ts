import { halvesMatmul } from "../../../kernels/matmul/halves/webgpu.ts";
import { matmul } from "../../../kernels/matmul/webgpu.ts";
import type { Lab } from "../lab.ts";
import { amount, duration, type Goal, type Line, percent, told } from "../line.ts";
import { reported } from "../literature.ts";
import { matrixOf } from "../matrices.ts";
import { timed } from "../measure.ts";
import { noise } from "../noise.ts";
import type { StoredAs } from "../random-weights.ts";
import { layerProducts, type Product, productFlops } from "../work.ts";

const GOAL = 0.5;

/** In fp32. */
export const matmuls = (lab: Lab): Promise<readonly Line[]> => products(lab, false);

/** In half precision, where the device has it: by themselves, because not every device's compiler is as good at it. */
export async function halves(lab: Lab): Promise<readonly Line[]> {
  const flops = await lab.f16();
  if (flops === null) return [told("half precision", "the device has none", {})];
  const own = told("multiplying and adding in registers, f16", amount(flops, "FLOP/s"), { flops });
  return [own, ...(await products(lab, true))];
}

/** The products of a chunk of a prompt with a layer's matrices, as they may be stored; and of large squares, where tiles do their best. */
async function products(lab: Lab, half: boolean): Promise<readonly Line[]> {
  const ceiling = await lab.f32();
  const { chunk, config, square } = lab.scale;
  const { f16, matrices } = lab.gpu.features;
  const how = half ? `in half precision${matrices === null ? "" : " on matrix units"}` : "in fp32";
  const lineOf = async (what: string, shapes: readonly Product[], rows: number, type: StoredAs): Promise<Line> => {
    const { flops, seconds } = await all(lab, shapes, rows, type, half);
    return told(
      `${what} ${how}, matrices in ${type}, sums in f32`,
      `${amount(flops / seconds, "FLOP/s")} (${duration(seconds)})`,
      { seconds, flops, flopsPerSecond: flops / seconds },
      `${amount(ceiling, "FLOP/s")} f32 in registers`,
      percent(flops / seconds / ceiling),
    );
  };
  const lines: Line[] = [];
  for (const type of ["F16", "F32", "Q4_0"] as const) {
    const line = await lineOf(
      `prefill matmul of ${chunk} tokens, a layer's products,`,
      layerProducts(config),
      chunk,
      type,
    );
    // Where there is half precision, the goal is about it.
    const isGoal = type === "F16" && half === f16;
    lines.push(isGoal ? { ...line, goal: goalOf(lab, line.numbers.flopsPerSecond ?? 0, ceiling) } : line);
  }
  const cube = { name: "square", outputs: square, inputs: square, count: 1 };
  return [...lines, await lineOf(`our tiles at their best, ${square} x ${square} x ${square},`, [cube], square, "F16")];
}

/** Half of the best product in WGSL that was reported for this device; where none was, half of what its units do in registers. */
function goalOf({ gpu }: Lab, rate: number, ceiling: number): Goal {
  const known = reported(gpu.name);
  if (known !== null) {
    const text = `${percent(GOAL)} of ${amount(known.flops, "FLOP/s")} (${known.source})`;
    return { text, met: rate >= GOAL * known.flops };
  }
  const text = `${percent(GOAL)} of the best reported: none is known for this device, so of f32 in registers`;
  return { text, met: rate >= GOAL * ceiling };
}

/** What all shapes take, one after another. */
async function all(
  { arrays, gpu, scale }: Lab,
  shapes: readonly Product[],
  rows: number,
  type: StoredAs,
  half: boolean,
): Promise<{ readonly flops: number; readonly seconds: number }> {
  using halves = half ? halvesMatmul(arrays) : null;
  const multiply = halves ?? matmul(arrays);
  let [flops, seconds] = [0, 0];
  for (const product of shapes) {
    using matrix = matrixOf(gpu, product, type);
    using x = noise(arrays, "x", 8, rows, product.inputs);
    using out = arrays.empty("products", rows, product.outputs);
    const { median } = await timed(gpu, scale, () => multiply(x, matrix, out));
    flops += productFlops(product, rows);
    seconds += median;
  }
  return { flops, seconds };
}
