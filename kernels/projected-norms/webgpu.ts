import type { GpuArrays } from "../gpu/arrays.ts";
import { overProducts } from "../gpu/products.ts";
import { projectionShape } from "../shapes.ts";
import { tensor } from "../tensor.ts";
import type { ProjectedNorms } from "./index.ts";
import code from "./projected.wgsl" with { type: "text" };

export const projectedNorms =
  (arrays: GpuArrays): ProjectedNorms =>
  async (values, projection) => {
    const { heads, length, size, hidden } = projectionShape("projectedNorms", values, projection);
    using given = arrays.vectors(values, "values");
    using through = arrays.vectors(tensor(projection.data, hidden, heads, size), "projection");
    const norms = arrays.empty("projectedNorms", heads, length);
    const source = { name: "projectedNorms", code, access: ["read", "write"] } as const;
    overProducts(arrays, source, given, heads, hidden, [through, norms]);
    return arrays.result(norms);
  };
