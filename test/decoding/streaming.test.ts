import { describe, expect, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { referenceKernels } from "../../kernels/index.ts";
import { KvCache, streamingWindow } from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { holds } from "../support/seed.ts";
import { onStreams } from "../support/streams.ts";

/** The sinks that are left, and the most recent. */
function expected(positions: readonly number[], budget: number, sinks: number): number[] {
  const first = positions.filter((position) => position < sinks);
  const rest = positions.filter((position) => position >= sinks).sort((a, b) => a - b);
  return [...first, ...rest.slice(Math.max(0, rest.length - (budget - first.length)))].sort((a, b) => a - b);
}

/** One head that holds these positions, in this order. */
function cacheOf(positions: readonly number[]): KvCache {
  const count = positions.length;
  const [keys, values] = [new Float32Array(count), new Float32Array(count)];
  const layers = [{ keys, values, positions: Int32Array.from(positions), offsets: Int32Array.of(0, count) }];
  const geometry = { layers: 1, kvHeads: 1, headDim: 1 };
  return new KvCache({ model: "none", geometry, layers, length: 61, logits: new Float32Array(1) });
}
const nowhere = { kernels: referenceKernels(), config: { slidingWindow: [null] } };

describe("streamingWindow", () => {
  test("keeps the sinks that a head still holds and the most recent, whatever order they lie in", () =>
    holds(
      fc.record({
        positions: fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 50 }),
        sinks: fc.integer({ min: 0, max: 8 }),
        recent: fc.integer({ min: 1, max: 30 }),
      }),
      async ({ positions, sinks, recent }) => {
        const budget = sinks + recent;
        fc.pre(positions.length > budget);
        using cache = cacheOf(positions);
        await cache.evict(streamingWindow({ budget, sinks }), nowhere);
        assert.deepEqual([...cache.positions(0, 0)], expected(positions, budget, sinks));
      },
      300,
    ));

  for (const sinks of [0, 1, 4]) {
    test(`with ${sinks} sinks each head holds, after every token, exactly those and the most recent`, () =>
      onStreams(
        ({ budget }) => streamingWindow({ budget, sinks }),
        {
          after: ({ stream: { policy, held }, before, position }) => {
            const budget = policy?.target(position + 1) ?? Number.POSITIVE_INFINITY;
            const kept = before.map((heads) => heads.map((ofHead) => expected([...ofHead, position], budget, sinks)));
            assert.deepEqual(held, kept);
          },
        },
        { runs: 25 },
      ));
  }

  test("records its options, defaults filled in", () => {
    const { name, options } = streamingWindow({ budget: 16 });
    expect({ name, options }).toEqual({ name: "streamingwindow", options: { budget: 16, sinks: 4 } });
  });

  test.each([
    [{ budget: 4 }, "budget_too_small", "budget"],
    [{ budget: 1, sinks: 1 }, "budget_too_small", "budget"],
    [{ budget: 0, sinks: 0 }, "budget_too_small", "budget"],
    [{ budget: 8.5 }, "invalid_option", "budget"],
    [{ budget: Number.POSITIVE_INFINITY }, "invalid_option", "budget"],
    [{ budget: 8, sinks: -1 }, "invalid_option", "sinks"],
    [{ budget: 8, sink: 2 }, "invalid_option", "sink"],
  ])("refuses %p by name", async (options, code, option) => {
    const fault = await faultOf(() => streamingWindow(options));
    expect({ code: fault.code, path: fault.path }).toMatchObject({ code, path: ["streamingwindow", option] });
  });
});
