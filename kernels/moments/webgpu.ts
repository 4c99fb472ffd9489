import { type GpuArrays, parameters, run } from "../gpu/arrays.ts";
import { entriesShape } from "../shapes.ts";
import type { Moments } from "./index.ts";
import code from "./products.wgsl" with { type: "text" };

export const moments =
  (arrays: GpuArrays): Moments =>
  async (vectors) => {
    const [count, rows, size] = entriesShape("moments", vectors);
    const tiles = Math.ceil(size / 64);
    using given = arrays.vectors(vectors, "vectors");
    using sums = arrays.empty("sums", rows, size);
    using products = arrays.empty("products", rows, size, size);
    run(
      arrays,
      { name: "moments", code, access: ["read", "write", "write"], parameters: true },
      [given, sums, products],
      [tiles ** 2, rows],
      parameters(count, rows, size, tiles),
    );
    return { sums: await arrays.result(sums), products: await arrays.result(products) };
  };
