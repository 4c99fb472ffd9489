import type { GpuArrays } from "../gpu/arrays.ts";
import { eachVector, type VectorSum } from "../gpu/vectors.ts";
import { entriesShape } from "../shapes.ts";
import type { KeyNorms } from "./index.ts";

export const keyNorms =
  (arrays: GpuArrays): KeyNorms =>
  async (keys) => {
    entriesShape("keyNorms", keys);
    using given = arrays.vectors(keys, "keys");
    return arrays.result(eachVector(arrays, LENGTH, given));
  };

const LENGTH: VectorSum = { name: "keyNorms", sums: "f32", term: "return dot(x, x);", finish: "return sqrt(total);" };
