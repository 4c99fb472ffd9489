import type { GpuArrays } from "../gpu/arrays.ts";
import { eachVector, type VectorSum } from "../gpu/vectors.ts";
import { checkDims, entriesShape, groupSize } from "../shapes.ts";
import type { Projections } from "./index.ts";

export const projections =
  (arrays: GpuArrays): Projections =>
  async (keys, directions) => {
    const [kvHeads, , size] = entriesShape("projections", keys);
    const [rows = 0] = directions.dims;
    checkDims("projections", "directions", directions, [rows, size]);
    groupSize("projections", rows, kvHeads);
    using given = arrays.vectors(keys, "keys");
    using along = arrays.vectors(directions, "directions");
    return arrays.result(eachVector(arrays, PRODUCT, given, along));
  };

const PRODUCT: VectorSum = { name: "projections", sums: "f32", term: "return dot(x, y);", finish: "return total;" };
