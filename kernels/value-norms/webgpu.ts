import type { GpuArrays } from "../gpu/arrays.ts";
import { eachVector, type VectorSum } from "../gpu/vectors.ts";
import { entriesShape } from "../shapes.ts";
import type { ValueNorms } from "./index.ts";

export const valueNorms =
  (arrays: GpuArrays): ValueNorms =>
  async (values) => {
    entriesShape("valueNorms", values);
    using given = arrays.vectors(values, "values");
    return arrays.result(eachVector(arrays, ABSOLUTE, given));
  };

const ABSOLUTE: VectorSum = {
  name: "valueNorms",
  sums: "f32",
  term: "return dot(abs(x), vec4f(1.0));",
  finish: "return total;",
};
