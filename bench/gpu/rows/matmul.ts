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

/** The products of a chunk of a prompt with a layer's matrices, as they may be stored; and of large squares, where tiles do their best. */
export async function products(lab: Lab): Promise<readonly Line[]> {
  const ceiling = await lab.f32();
  const { chunk, config } = lab.scale;
  const lines: Line[] = [];
  for (const type of ["F16", "F32", "Q4_0"] as const) {
    const { flops, seconds } = await all(lab, layerProducts(config), chunk, type);
    lines.push({
      what: `prefill matmul ${type.toLowerCase()}, sums in f32: ${chunk} tokens, all products of a layer`,
      measured: `${amount(flops / seconds, "FLOP/s")} (${duration(seconds)})`,
      limit: ceiling === null ? "" : `${amount(ceiling, "FLOP/s")} f32 in registers`,
      figure: ceiling === null ? "" : percent(flops / seconds / ceiling),
      goal: type === "F16" ? goalOf(lab, flops / seconds, ceiling) : null,
      numbers: { seconds, flops, flopsPerSecond: flops / seconds, ...(ceiling === null ? {} : { ceiling }) },
    });
  }
  lines.push(await best(lab));
  return lines;
}

/**
 * Half of the best product in WGSL that was reported for this device. Where none was, half of what its units do in registers is more than
 * that would be, unless somebody used units for matrices, which WGSL as standardised does not reach.
 */
function goalOf({ gpu }: Lab, rate: number, ceiling: number | null): Goal {
  const known = reported(gpu.name);
  if (known !== null)
    return {
      text: `${percent(GOAL)} of ${amount(known.flops, "FLOP/s")} (${known.source})`,
      met: rate >= GOAL * known.flops,
    };
  const text = `${percent(GOAL)} of the best reported: none is known for this device, so of f32 in registers, which is more`;
  return { text, met: ceiling !== null && rate >= GOAL * ceiling };
}

async function best(lab: Lab): Promise<Line> {
  const { square } = lab.scale;
  const product = { name: "square", outputs: square, inputs: square, count: 1 };
  const [f16, f32] = [await all(lab, [product], square, "F16"), await all(lab, [product], square, "F32")];
  const [half, single] = [f16.flops / f16.seconds, f32.flops / f32.seconds];
  return told(
    `the best of our tiles: ${square} x ${square} x ${square}`,
    `${amount(half, "FLOP/s")} f16, ${amount(single, "FLOP/s")} f32`,
    { f16: half, f32: single },
  );
}

async function all({ arrays, gpu, scale }: Lab, shapes: readonly Product[], rows: number, type: StoredAs) {
  const multiply = matmul(arrays);
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
