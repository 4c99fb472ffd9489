import { type GpuArrays, grid, MOST_GROUPS, parameters, run } from "../gpu/arrays.ts";
import type { BeforeRope } from "./index.ts";
import { ropeShape } from "./shape.ts";
import { turnsBack } from "./tables.ts";
import code from "./turn-back.wgsl" with { type: "text" };

/** Angles are taken in double precision, here: those far into a text are too large for a device's. */
export const beforeRope =
  (arrays: GpuArrays): BeforeRope =>
  async (keys, positions, frequencies) => {
    const [kvHeads, length, size] = ropeShape(keys, positions, frequencies);
    const pairs = (kvHeads * length * size) / 2;
    const before = arrays.empty("beforeRope", kvHeads, length, size);
    if (pairs === 0) return arrays.result(before);
    const alike = positions.every((position, i) => position === positions[i % length]);
    const { cos, sin } = turnsBack(alike ? positions.subarray(0, length) : positions, frequencies);
    using given = arrays.of(keys, "keys");
    using cosines = arrays.of(cos, "cosines");
    using sines = arrays.of(sin, "sines");
    run(
      arrays,
      {
        name: "beforeRope",
        code,
        access: ["read", "read", "read", "write"],
        constants: { MOST_GROUPS },
        parameters: true,
      },
      [given, cosines, sines, before],
      grid(pairs, 64),
      parameters(pairs, size / 2, alike ? length : kvHeads * length),
    );
    return arrays.result(before);
  };
