import { test } from "bun:test";
import fc from "fast-check";
import { gpuArrays } from "../../kernels/gpu/arrays.ts";
import { turnKeys as reference } from "../../kernels/turn-keys/reference.ts";
import { turnKeys } from "../../kernels/turn-keys/webgpu.ts";
import { normals } from "../support/arbitraries.ts";
import { holds } from "../support/seed.ts";
import { sharedGpu } from "../support/software-gpu.ts";
import { assertClose } from "./network/close.ts";

test("keys are turned where they lie, by what the table says, and no others", async () => {
  const arrays = gpuArrays(await sharedGpu());
  await holds(
    fc.record({
      seed: fc.nat(1e6),
      headDim: fc.constantFrom(4, 12, 64),
      turns: fc.uniqueArray(fc.record({ row: fc.nat(69), by: fc.nat(2) }), {
        selector: ({ row }) => row,
        maxLength: 70,
      }),
    }),
    async ({ seed, headDim, turns }) => {
      const [keys, table] = [normals(seed, 70, headDim), normals(seed + 1, 3, headDim)];
      const rows = Uint32Array.from(turns, ({ row }) => row);
      const by = Uint32Array.from(turns, (turn) => turn.by);
      const turned = arrays.of(keys, "keys");
      using listed = arrays.numbers(rows, "rows");
      using amounts = arrays.numbers(by, "by");
      using angles = arrays.of(table, "table");
      turnKeys(arrays, headDim)(turned, { rows: listed, by: amounts, table: angles, count: rows.length });
      const expected = { data: keys.data.slice(), dims: keys.dims };
      reference(expected, rows, by, table);
      assertClose(await arrays.result(turned), expected, 1e-5);
    },
    25,
  );
});
