/** However many tokens come, each entry stands for what it was when it came: nothing is lost, mixed up or quantised twice. */
import { test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { channelsOf } from "../../../src/cache/compact/form.ts";
import { type LayerEntries, offsetsOf } from "../../../src/cache/layer.ts";
import { KvCache } from "../../../src/index.ts";
import { inFp32 } from "../../support/compact.ts";
import { uniform } from "../../support/random.ts";
import { holds } from "../../support/seed.ts";

const trials = fc.record({
  geometry: fc.record({
    layers: fc.integer({ min: 1, max: 2 }),
    kvHeads: fc.integer({ min: 1, max: 3 }),
    headDim: fc.constantFrom(5, 8, 64),
  }),
  counts: fc.array(fc.integer({ min: 0, max: 110 }), { minLength: 6, maxLength: 6 }),
  bits: fc.constantFrom(8 as const, 4 as const, 2 as const, null),
  recent: fc.constantFrom(1, 5, 32),
  channels: fc.constantFrom(null, [0, 1, 4], [3]),
  rows: fc.integer({ min: 0, max: 110 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

test("an entry stands for what it was, within half a scale", () =>
  holds(trials, ({ geometry, counts, bits, recent, channels, rows, seed }) => {
    const { layers, kvHeads, headDim } = geometry;
    const next = uniform(seed);
    // In [0, 1), so that no group's scale is above 1 / (2^bits - 1).
    const numbers = (length: number) => Float32Array.from({ length }, next);
    const made = Array.from({ length: layers }, (_, layer): LayerEntries => {
      const own = counts.slice(layer * kvHeads, (layer + 1) * kvHeads);
      const total = own.reduce((sum, count) => sum + count, 0);
      const positions = Int32Array.from(
        own.flatMap((count) => Array.from({ length: count }, (_, i) => 110 - count + i)),
      );
      return { keys: numbers(total * headDim), values: numbers(total * headDim), positions, offsets: offsetsOf(own) };
    });
    const kept =
      channels === null
        ? null
        : Int32Array.from(
            Array(layers * kvHeads)
              .fill(channels)
              .flat(),
          );
    const fp32 = new KvCache({ model: "m", geometry, layers: made, length: 110, logits: numbers(1) });
    const form = { bits, recent, channels: kept };
    const compact = fp32.inForm(form);
    for (let row = 0; row < rows; row++) {
      const entries = numbers(layers * 2 * kvHeads * headDim);
      for (const cache of [fp32, compact]) cache.append(entries, numbers(1));
    }
    // In fp32 and in order, the tail included.
    const standsFor = (cache: KvCache) =>
      inFp32(inFp32(cache).inForm({ bits: null, recent: 1, channels: null })).layers;
    const [expected, found] = [standsFor(fp32), standsFor(compact)];
    const bound = bits === null ? 0 : 0.5 / (2 ** bits - 1) + 1e-6;
    for (const [layer, { keys, values, positions, offsets }] of expected.entries()) {
      const other = found[layer];
      assert.deepEqual(other?.positions, positions);
      for (let head = 0; head < kvHeads; head++) {
        const own = channelsOf(form, geometry, layer, head);
        const [from = 0, to = 0] = offsets.subarray(head, head + 2);
        for (let i = from * headDim; i < to * headDim; i++) {
          assert.ok(Math.abs((other?.values[i] ?? 9) - (values[i] ?? 0)) <= bound, `value ${i}`);
          const x: number = other?.keys[i] ?? 9;
          const gone: boolean = own !== null && !own.includes(i % headDim) && x === 0;
          assert.ok(gone || Math.abs(x - (keys[i] ?? 0)) <= bound, `key ${i}`);
        }
      }
    }
  }));
