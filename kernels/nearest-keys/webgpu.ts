import { flatRows } from "../gather/shape.ts";
import { type GpuArrays, offsetsOf } from "../gpu/arrays.ts";
import { overProducts } from "../gpu/products.ts";
import { eachVector, INVERSE_LENGTH } from "../gpu/vectors.ts";
import type { NearestKeys } from "./index.ts";
import code from "./nearest.wgsl" with { type: "text" };
import { nearestShape } from "./shape.ts";

export const nearestKeys =
  (arrays: GpuArrays): NearestKeys =>
  async (keys, rows) => {
    const { length } = nearestShape(keys, rows);
    const heads = rows.length;
    using given = arrays.vectors(keys, "keys");
    using inverse = eachVector(arrays, INVERSE_LENGTH, given);
    using listed = arrays.numbers(flatRows(rows, length), "rows");
    using offsets = arrays.numbers(offsetsOf(rows.map((list) => list.length)), "offsets");
    using places = arrays.empty("places", heads, length);
    using cosines = arrays.empty("cosines", heads, length);
    const source = { name: "nearestKeys", code, access: ["read", "read", "read", "write", "write"] } as const;
    overProducts(arrays, source, given, heads, 0, [inverse, listed, offsets, places, cosines]);
    return {
      places: new Int32Array(await arrays.gpu.read(places.block)),
      cosines: await arrays.result(cosines),
    };
  };
