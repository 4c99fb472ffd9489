/** Keys at positions packed within the cache, under every registered method. */
import { describe, expect, test } from "bun:test";
import {
  compress,
  compressInBlocks,
  generate,
  type KvCache,
  type Method,
  type MethodFactory,
  packed,
  prefill,
  registry,
  snapKV,
  step,
} from "../../src/index.ts";
import { maxDifference } from "../support/golden.ts";
import { onNetworks } from "../support/network-laws.ts";
import { referenceLogits } from "../support/reference-decoder.ts";
import { tinyModel } from "../support/tiny-model.ts";

const TOLERANCE = 1e-4;
const RUNS = 12;

const positionsOf = (cache: KvCache) =>
  cache.lengths.map((heads, layer) => heads.map((_, head) => [...cache.positions(layer, head)]));

for (const [name, factory] of Object.entries<MethodFactory>(registry)) {
  describe(`packed ${name}`, () => {
    test("decodes as if its kept tokens stood side by side", () =>
      onNetworks(
        factory,
        async ({ model, context, budget, next }) => {
          const method = factory({ budget });
          using plain = await compress(context, method);
          using cache = await compress(context, packed(method));
          const kept = positionsOf(plain);
          const end = Math.max(...kept.flat().map(({ length }) => length));
          expect(cache.length).toBe(end);
          expect(positionsOf(cache)).toEqual(
            kept.map((heads) => heads.map(({ length }) => Array.from({ length }, (_, i) => end - length + i))),
          );
          expect({ bytes: cache.bytes, lengths: cache.lengths }).toEqual({
            bytes: plain.bytes,
            lengths: plain.lengths,
          });
          const n = context.length;
          const places = kept.map((heads) =>
            heads.map((own) => new Map(own.map((position, i) => [position, end - own.length + i]))),
          );
          const place = (layer: number, head: number, token: number) =>
            token >= n ? end + token - n : places[layer]?.[head]?.get(token);
          const expected = referenceLogits(
            model.config,
            model.weights,
            [...context.tokens, ...next],
            (layer, head, query, key) => query < n || place(layer, head, key) !== undefined,
            {
              distance: (layer, head, query, key) =>
                query < n ? query - key : end + query - n - (place(layer, head, key) ?? Number.NEGATIVE_INFINITY),
            },
          );
          for (const [i, token] of next.entries()) {
            const logits = await step(model, cache, token);
            expect(maxDifference(logits, expected[n + i] ?? [])).toBeLessThan(TOLERANCE);
          }
        },
        RUNS,
      ));

    test("leaves a prompt that fits as it is", () =>
      onNetworks(
        factory,
        async ({ model, context }) => {
          const method = packed(factory({ budget: context.length }));
          using cache = await compress(context, method);
          expect(cache.length).toBe(context.length);
          expect(cache.layers).toEqual(context.layers);
          const options = { maxNewTokens: 3 };
          expect(await generate(model, cache, options)).toEqual(await generate(model, context.cache, options));
        },
        5,
      ));
  });
}

describe("packing", () => {
  test("is told by the method, and changes nothing else of it", () => {
    const method = snapKV({ budget: 64 });
    const { name, options, packed: told, ...rest }: Method = packed(method);
    const { name: plain, options: plainOptions, ...others } = method;
    expect({ name, options, told }).toEqual({
      name: "packed(snapkv)",
      options: { ...plainOptions, packed: true },
      told: true,
    });
    expect(rest).toEqual(others);
    expect(plain).toBe("snapkv");
  });

  test("goes on where the context would have ended, also after blocks", async () => {
    using model = await tinyModel({ contextLength: 40 });
    const prompt = Int32Array.from({ length: 40 }, (_, i) => (7 * i) % 64);
    const method = packed(snapKV({ budget: 16 }));
    using context = await prefill(model, prompt, { observe: [method] });
    using cache = await compress(context, method);
    expect((await generate(model, cache, { maxNewTokens: 30 })).finishReason).toBe("context");
    expect((await generate(model, cache, { maxNewTokens: 24 })).tokens).toHaveLength(24);
    using blocks = await compressInBlocks(model, prompt, method, { block: 16, working: 20 });
    expect(blocks.length).toBe(16);
    using whole = await compressInBlocks(model, prompt, method, { block: 16, working: Number.POSITIVE_INFINITY });
    expect(await generate(model, whole, { maxNewTokens: 9 })).toEqual(
      await generate(model, cache, { maxNewTokens: 9 }),
    );
  });
});
