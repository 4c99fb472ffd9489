/**
 * Leverage is the squared length of a vector under a root of the inverse. The vectors stay on the device; only their products with one
 * another, k k numbers of a head, come to be inverted in double precision.
 *
 * A small ridge asks more of these products than fp32 gives, and devices have nothing better: so they are taken of whole numbers.
 */
import type { Source } from "../../src/gpu/index.ts";
import { type GpuArrays, type GpuTensor, parameters, run } from "../gpu/arrays.ts";
import { dot4 } from "../gpu/dot4.ts";
import total from "../gpu/total.wgsl" with { type: "text" };
import digitsCode from "./digits.wgsl" with { type: "text" };
import gramCode from "./gram.wgsl" with { type: "text" };
import type { Leverage } from "./index.ts";
import { inverseRoot } from "./inverse-root.ts";
import { leverageShape } from "./shape.ts";
import shortenCode from "./shorten.wgsl" with { type: "text" };
import squaresCode from "./squares.wgsl" with { type: "text" };

/** What a channel's largest number becomes: four digits to the base of 128 reach further, by more than rounding. */
const MOST = 1e8;
const BASE = 128;
/** Rows in fours that are added up in 32 bits, with room for three times as many more. */
const STRETCH = 8192;

export const leverage =
  (arrays: GpuArrays): Leverage =>
  async (vectors, shortening, ridge) => {
    const [kvHeads, length, size, short] = leverageShape(vectors, shortening, ridge);
    const scores = arrays.empty("leverage", kvHeads, length);
    if (kvHeads * length * short === 0) return arrays.result(scores);
    using given = arrays.vectors(vectors, "vectors");
    using matrix = arrays.vectors(shortening, "shortening");
    using rows = arrays.empty("shortened", kvHeads, short, length);
    const tiles = Math.ceil(length / 64);
    run(
      arrays,
      source("shorten", shortenCode, "read", "read", "write"),
      [given, matrix, rows],
      [tiles, Math.ceil(short / 4), kvHeads],
      parameters(length, Math.ceil(size / 4), size, short),
    );
    const grams = await gramsOf(arrays, rows);
    using roots = arrays.numbers(
      Float32Array.from(grams.flatMap((gram) => [...inverseRoot(gram, short, ridge)])),
      "roots",
    );
    run(
      arrays,
      source("leverage", squaresCode, "read", "read", "write"),
      [rows, roots, scores],
      [tiles, kvHeads],
      parameters(length, short),
    );
    return arrays.result(scores);
  };

/** Centres rows [KH, k, n], and gives each head's products of channels, [k, k] on and below the diagonal. */
async function gramsOf(arrays: GpuArrays, rows: GpuTensor): Promise<readonly Float64Array[]> {
  const [kvHeads = 0, short = 0, length = 0] = rows.dims;
  const quads = Math.ceil(length / 4);
  const stretches = Math.ceil(quads / STRETCH);
  const tiles = Math.ceil(short / 16);
  const peaks = arrays.empty("peaks", kvHeads, short);
  using digits = arrays.empty("digits", kvHeads, short, quads, 4);
  using products = arrays.empty("products", kvHeads, stretches, short, short, 8);
  run(
    arrays,
    { ...source("digits", `${total}\n${digitsCode}`, "write", "write", "write"), constants: { MOST } },
    [rows, peaks, digits],
    [short, kvHeads],
    parameters(length, quads, short),
  );
  run(
    arrays,
    { ...source("gram", `${dot4(arrays.gpu)}\n${gramCode}`, "read", "write"), constants: { STRETCH } },
    [digits, products],
    [tiles ** 2, stretches, kvHeads],
    parameters(quads, short, tiles),
  );
  const sums = new Int32Array(await arrays.gpu.read(products.block));
  const { data } = await arrays.result(peaks);
  return Array.from({ length: kvHeads }, (_, head) => {
    const units = Float64Array.from(data.subarray(head * short, (head + 1) * short), (peak) => peak / MOST);
    const gram = new Float64Array(short * short);
    for (let stretch = 0; stretch < stretches; stretch++)
      for (let at = 0; at < gram.length; at++) {
        const own = sums.subarray(8 * ((head * stretches + stretch) * gram.length + at));
        const whole = own.subarray(0, 7).reduce((sum, place) => sum * BASE + place, 0);
        gram[at] = (gram[at] ?? 0) + whole * (units[Math.floor(at / short)] ?? 0) * (units[at % short] ?? 0);
      }
    return gram;
  });
}

const source = (name: string, code: string, ...access: Source["access"]): Source => ({
  name,
  code,
  access,
  parameters: true,
});
