import { type GpuArrays, type GpuTensor, parameters, run } from "../gpu/arrays.ts";
import { eachVector, INVERSE_LENGTH, type VectorSum } from "../gpu/vectors.ts";
import { entriesShape } from "../shapes.ts";
import code from "./directions.wgsl" with { type: "text" };
import type { KeySimilarity } from "./index.ts";

/** Two passes over the keys: their mean direction, then cosines with it. */
export const keySimilarity =
  (arrays: GpuArrays): KeySimilarity =>
  async (keys) => {
    entriesShape("keySimilarity", keys);
    using given = arrays.vectors(keys, "keys");
    using towards = directions(arrays, given);
    return arrays.result(eachVector(arrays, COSINE, given, towards));
  };

/** Rounding leaves a mean of about this length where directions cancel. */
const NOTHING = 1e-6;

const COSINE: VectorSum = {
  name: "keySimilarity",
  sums: "vec3f",
  term: "return vec3f(dot(x, y), dot(x, x), dot(y, y));",
  finish: `
    let lengths = sqrt(total.y) * sqrt(total.z);
    return select(0.0, total.x / lengths, total.y > 0.0 && total.z > ${NOTHING ** 2});`,
};

/** Keys [KH, n, d] -> their means at length 1, in whole vec4s: [KH, d]. */
function directions(arrays: GpuArrays, keys: GpuTensor): GpuTensor {
  const [kvHeads = 0, length = 0, size = 0] = keys.dims;
  const parts = Math.ceil(size / 4);
  using inverse = eachVector(arrays, INVERSE_LENGTH, keys);
  const out = arrays.empty("directions", kvHeads, 4 * parts);
  run(
    arrays,
    { name: "directions", code, access: ["read", "read", "write"], parameters: true },
    [keys, inverse, out],
    [Math.ceil(parts / 8), kvHeads],
    parameters(length, parts),
  );
  return out;
}
