import { matmul } from "../../../kernels/matmul/webgpu.ts";
import type { Lab } from "../lab.ts";
import { amount, duration, type Line, percent, told } from "../line.ts";
import { bytesOf, copiesOf } from "../matrices.ts";
import { timed } from "../measure.ts";
import { noise } from "../noise.ts";
import { type Product, storedBytes, tokenProducts } from "../work.ts";

const GOAL = 0.7;

/** The products of one decoded token with Q4_0 matrices, each from memory and not from a cache: over and over as many as no cache holds. */
export async function gemv(lab: Lab): Promise<readonly Line[]> {
  const { best } = await lab.bandwidth();
  const products = tokenProducts(lab.scale.config);
  const measured: { readonly product: Product; readonly bytes: number; readonly seconds: number }[] = [];
  for (const product of products) measured.push({ product, ...(await one(lab, product)) });
  const total = (of: (one: (typeof measured)[number]) => number) =>
    measured.reduce((sum, each) => sum + each.product.count * of(each), 0);
  const [bytes, seconds] = [total((each) => each.bytes), total((each) => each.seconds)];
  const share = bytes / seconds / best;
  return [
    {
      what: "int4 GEMV (Q4_0), all products of a token",
      measured: `${amount(bytes / seconds, "B/s")} (${amount(bytes, "B")} in ${duration(seconds)})`,
      limit: `${amount(best, "B/s")} copied`,
      figure: percent(share),
      goal: { text: `${percent(GOAL)} of copy bandwidth`, met: share >= GOAL },
      numbers: { seconds, bytes, bytesPerSecond: bytes / seconds, copied: best, share },
    },
    ...measured.map(({ product: { name, outputs, inputs }, bytes: own, seconds: took }) =>
      told(
        `- ${name}, ${outputs} x ${inputs}`,
        `${amount(own / took, "B/s")} (${duration(took)})`,
        { seconds: took, bytes: own, bytesPerSecond: own / took, share: own / took / best },
        "",
        percent(own / took / best),
      ),
    ),
  ];
}

async function one({ arrays, gpu, scale }: Lab, product: Product): Promise<{ bytes: number; seconds: number }> {
  const multiply = matmul(arrays);
  const count = Math.ceil(scale.bytes / storedBytes(product, "Q4_0"));
  using all = new DisposableStack();
  const matrices = copiesOf(gpu, product, "Q4_0", count).map((matrix) => all.use(matrix));
  using x = noise(arrays, "x", 6, 1, product.inputs);
  using out = arrays.empty("products", 1, product.outputs);
  const { median } = await timed(gpu, scale, () => {
    for (const matrix of matrices) multiply(x, matrix, out);
  });
  return { bytes: matrices.reduce((sum, matrix) => sum + bytesOf(matrix), 0) / count, seconds: median / count };
}
