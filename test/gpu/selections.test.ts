/** What methods keep does not depend on where they choose: the CPU engine and the GPU engine keep the same entries of the same prompt. */
import { describe, expect, test } from "bun:test";
import { type Context, compress, prefill, registry } from "../../src/index.ts";
import { maxDifference } from "../support/golden.ts";
import { gpuModel, lasting } from "../support/gpu-model.ts";
import { smallestBudget } from "../support/method-laws.ts";
import { type TinyShape, tinyConfig } from "../support/random-model.ts";
import { sharedGpu } from "../support/software-gpu.ts";
import { tinyModel } from "../support/tiny-model.ts";

const SHAPES: readonly (TinyShape & { readonly length: number })[] = [
  { layers: 3, queryHeads: 4, kvHeads: 2, headDim: 16, length: 64 },
  { layers: 2, queryHeads: 6, kvHeads: 2, headDim: 8, kind: "gemma", slidingWindow: [11, null], length: 60 },
];

const methods = Object.entries(registry);

async function both({ length, ...shape }: (typeof SHAPES)[number]): Promise<readonly [Context, Context]> {
  const tokens = Int32Array.from({ length }, (_, i) => (i * 11) % 64); // no token twice: keys of equal length would be ranked by rounding
  const observe = methods.map(([, factory]) => factory({ budget: smallestBudget(factory) + 8 }));
  const [cpu, gpu] = [await tinyModel(shape), await gpuModel(lasting(await sharedGpu()), tinyConfig(shape))];
  return [await prefill(cpu, tokens, { observe }), await prefill(gpu, tokens, { observe })];
}

for (const shape of SHAPES)
  describe(`a ${shape.kind ?? "llama"} network`, () => {
    const contexts = both(shape);
    test.each(methods)("%s keeps the same on both engines", async (_name, factory) => {
      for (const context of await contexts) expect(context.length).toBe(shape.length);
      for (const more of [0, 13]) {
        const method = factory({ budget: smallestBudget(factory) + more });
        const [onCpu, onGpu] = await contexts;
        using expected = await compress(onCpu, method);
        using found = await compress(onGpu, method);
        expect(found.lengths).toEqual(expected.lengths);
        for (const [layer, heads] of expected.lengths.entries())
          for (const head of heads.keys())
            expect([...found.positions(layer, head)]).toEqual([...expected.positions(layer, head)]);
        using copy = await found.inMemory();
        for (const [layer, { keys, values }] of copy.layers.entries()) {
          expect(maxDifference(keys, expected.layers[layer]?.keys ?? [])).toBeLessThan(1e-4);
          expect(maxDifference(values, expected.layers[layer]?.values ?? [])).toBeLessThan(1e-4);
        }
      }
    });
  });
