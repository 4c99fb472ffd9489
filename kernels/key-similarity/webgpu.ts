import { type GpuArrays, type GpuTensor, parameters, run } from "../gpu/arrays.ts";
import { eachVector, INVERSE_LENGTH, type VectorSum } from "../gpu/vectors.ts";
import { entriesShape } from "../shapes.ts";
import code from "./directions.wgsl" with { type: "text" };
import type { KeySimilarity } from "./index.ts";

/** Two passes over the keys: a sum has the direction of the mean, and cosines with it come with both lengths. */
export const keySimilarity =
  (arrays: GpuArrays): KeySimilarity =>
  async (keys) => {
    entriesShape("keySimilarity", keys);
    using given = arrays.vectors(keys, "keys");
    using towards = directions(arrays, given);
    return arrays.result(eachVector(arrays, COSINE, given, towards));
  };

const COSINE: VectorSum = {
  name: "keySimilarity",
  sums: "vec3f",
  term: "return vec3f(dot(x, y), dot(x, x), dot(y, y));",
  finish: `
    let lengths = sqrt(total.y) * sqrt(total.z);
    return select(0.0, total.x / lengths, lengths > 0.0);`,
};

/** Keys [KH, n, d] -> [KH, d], which may have any length. */
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
