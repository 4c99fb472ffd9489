import type { GpuArrays } from "../gpu/arrays.ts";
import { overProducts } from "../gpu/products.ts";
import { checkDims, entriesShape, groupSize } from "../shapes.ts";
import code from "./forms.wgsl" with { type: "text" };
import type { QuadraticForms } from "./index.ts";

export const quadraticForms =
  (arrays: GpuArrays): QuadraticForms =>
  async (keys, matrices) => {
    const [kvHeads, length, size] = entriesShape("quadraticForms", keys);
    const [rows = 0] = matrices.dims;
    checkDims("quadraticForms", "matrices", matrices, [rows, size, size]);
    groupSize("quadraticForms", rows, kvHeads);
    using given = arrays.vectors(keys, "keys");
    using under = arrays.vectors(matrices, "matrices");
    const forms = arrays.empty("quadraticForms", rows, length);
    const source = { name: "quadraticForms", code, access: ["read", "write"] } as const;
    overProducts(arrays, source, given, rows, size, [under, forms]);
    return arrays.result(forms);
  };
