import { fastMatmul } from "../../../kernels/matmul/fast.ts";
import type { Matmul } from "../../../kernels/matmul/index.ts";
import { matmul } from "../../../kernels/matmul/webgpu.ts";
import type { Lab } from "../lab.ts";
import { amount, duration, type Line, percent, told } from "../line.ts";
import { bytesOf, copiesOf } from "../matrices.ts";
import { timed } from "../measure.ts";
import { noise } from "../noise.ts";
import { type Product, storedBytes, tokenProducts } from "../work.ts";

const GOAL = 0.7;

interface Measured {
  readonly product: Product;
  readonly bytes: number;
  readonly seconds: number;
}

/** The products of one decoded token with Q4_0 matrices, each from memory and not from a cache: over and over as many as no cache holds. */
export async function gemv(lab: Lab): Promise<readonly Line[]> {
  const { best } = await lab.bandwidth();
  const exact = await products(lab, matmul(lab.arrays));
  const { bytes, seconds } = ofToken(exact);
  const share = bytes / seconds / best;
  const lines: Line[] = [
    {
      what: "int4 GEMV (Q4_0), all products of a token",
      measured: `${amount(bytes / seconds, "B/s")} (${amount(bytes, "B")} in ${duration(seconds)})`,
      limit: `${amount(best, "B/s")} copied`,
      figure: percent(share),
      goal: { text: `${percent(GOAL)} of copy bandwidth`, met: share >= GOAL },
      numbers: { seconds, bytes, bytesPerSecond: bytes / seconds, copied: best, share },
    },
  ];
  for (const { product, ...own } of exact)
    lines.push(rateOf(`- ${product.name}, ${product.outputs} x ${product.inputs}`, own, best));
  if (!lab.gpu.features.packedDot) return lines;
  using fast = fastMatmul(lab.arrays);
  return [...lines, rateOf("- all of them at fast precision, x in bytes", ofToken(await products(lab, fast)), best)];
}

const rateOf = (what: string, { bytes, seconds }: Pick<Measured, "bytes" | "seconds">, copied: number): Line =>
  told(
    what,
    `${amount(bytes / seconds, "B/s")} (${duration(seconds)})`,
    { seconds, bytes, bytesPerSecond: bytes / seconds, share: bytes / seconds / copied },
    "",
    percent(bytes / seconds / copied),
  );

/** What one token meets of each. */
function ofToken(measured: readonly Measured[]): Pick<Measured, "bytes" | "seconds"> {
  const total = (of: (one: Measured) => number) => measured.reduce((sum, one) => sum + one.product.count * of(one), 0);
  return { bytes: total((one) => one.bytes), seconds: total((one) => one.seconds) };
}

async function products(lab: Lab, multiply: Matmul): Promise<readonly Measured[]> {
  const measured: Measured[] = [];
  for (const product of tokenProducts(lab.scale.config)) measured.push(await one(lab, product, multiply));
  return measured;
}

async function one({ arrays, gpu, scale }: Lab, product: Product, multiply: Matmul): Promise<Measured> {
  const count = Math.ceil(scale.bytes / storedBytes(product, "Q4_0"));
  using all = new DisposableStack();
  const matrices = copiesOf(gpu, product, "Q4_0", count).map((matrix) => all.use(matrix));
  using x = noise(arrays, "x", 6, 1, product.inputs);
  using out = arrays.empty("products", 1, product.outputs);
  const { median } = await timed(gpu, scale, () => {
    for (const matrix of matrices) multiply(x, matrix, out);
  });
  const bytes = matrices.reduce((sum, matrix) => sum + bytesOf(matrix), 0) / count;
  return { product, bytes, seconds: median / count };
}
