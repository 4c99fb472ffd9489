import { type GpuArrays, grid, MOST_GROUPS, parameters, run } from "../gpu/arrays.ts";
import code from "./gather.wgsl" with { type: "text" };
import type { Gather } from "./index.ts";
import { flatRows, gatherShape } from "./shape.ts";

export const gather =
  (arrays: GpuArrays): Gather =>
  async (entries, rows) => {
    const { length, size, total } = gatherShape(entries, rows);
    const inFours = size % 4 === 0;
    const parts = inFours ? size / 4 : size;
    using given = arrays.of(entries, "entries");
    using wanted = arrays.numbers(flatRows(rows, length), "rows");
    const picked = arrays.empty("gather", total, size);
    run(
      arrays,
      {
        name: "gather",
        code: `alias Part = ${inFours ? "vec4u" : "u32"};\n${code}`, // bits, which no device rounds
        access: ["read", "read", "write"],
        constants: { MOST_GROUPS },
        parameters: true,
      },
      [given, wanted, picked],
      grid(total * parts, 256),
      parameters(total * parts, parts),
    );
    return arrays.result(picked);
  };
