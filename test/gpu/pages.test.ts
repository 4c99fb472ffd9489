/** Pages and their table, whatever comes and goes: no page is anyone else's, the table says where they are, and nothing is left in the end. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { gpuArrays } from "../../kernels/gpu/arrays.ts";
import type { HeadPages } from "../../src/engine/webgpu/head-pages.ts";
import { PageStore } from "../../src/engine/webgpu/page-store.ts";
import { holds } from "../support/seed.ts";
import { sharedGpu } from "../support/software-gpu.ts";

const geometry = { layers: 2, kvHeads: 2, headDim: 4 };

const acts = fc.array(
  fc.oneof(
    fc.record({ act: fc.constant("hold" as const), who: fc.nat(3), counts: fc.tuple(fc.nat(9000), fc.nat(90)) }),
    fc.record({ act: fc.constant("extend" as const), who: fc.nat(3), count: fc.integer({ min: 1, max: 70 }) }),
    fc.record({ act: fc.constant("trim" as const), who: fc.nat(3), least: fc.nat(1) }),
    fc.record({ act: fc.constant("release" as const), who: fc.nat(3) }),
    fc.record({ act: fc.constant("look" as const), who: fc.nat(3) }),
  ),
  { minLength: 1, maxLength: 25 },
);

test("pages are nobody else's, and the table is what they are", async () => {
  const gpu = await sharedGpu();
  const arrays = gpuArrays(gpu);
  await holds(
    acts,
    async (all) => {
      const before = gpu.used;
      {
        using store = new PageStore(arrays, geometry);
        const owners: (readonly HeadPages[])[] = Array.from({ length: 4 }, () => store.empty());
        for (const one of all) {
          const own = owners[one.who] ?? [];
          for (const [layer, heads] of own.entries()) {
            if (one.act === "hold") {
              const slots = store.hold(layer, heads, one.counts);
              expect(new Set(slots).size).toBe(one.counts[0] + one.counts[1]);
            } else if (one.act === "extend") expect(store.extend(layer, heads, one.count).length).toBe(2 * one.count);
            else if (one.act === "trim") store.trim(layer, heads, one.least);
            else if (one.act === "look") store.begins(heads);
          }
          if (one.act === "release") {
            store.release(own);
            owners[one.who] = store.empty();
          }
        }
        for (let layer = 0; layer < geometry.layers; layer++) {
          const taken = owners.flatMap((own) => own[layer]?.pages.flat() ?? []);
          expect(new Set(taken).size).toBe(taken.length);
          expect(store.pools[layer]?.used).toBe(taken.length);
        }
        const begins = owners.map((own) => own.map((heads) => store.begins(heads)));
        const table = new Uint32Array(await gpu.read(store.table.array.block));
        for (const [who, own] of owners.entries())
          for (const [layer, { pages }] of own.entries())
            for (const [head, list] of pages.entries()) {
              const begin = begins[who]?.[layer]?.[head] ?? -1;
              expect([...table.subarray(begin, begin + list.length)]).toEqual([...list]);
            }
      }
      expect(gpu.used).toBe(before);
    },
    60,
  );
});
