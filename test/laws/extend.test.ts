/** Asking of a compressed context: many tokens at once are the same as one after another. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compress, extend, generate, type KvCache, loadModel, prefill, snapKV, step } from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { maxDifference } from "../support/golden.ts";
import { goldenGguf } from "../support/golden-model.ts";
import { raggedCache, raggedShapes, tokens } from "../support/ragged.ts";
import { holds } from "../support/seed.ts";
import { tinyModel } from "../support/tiny-model.ts";

const TOLERANCE = 1e-4;

/** What a cache holds of each head, to be compared. */
const held = (cache: KvCache) =>
  cache.lengths.map((heads, layer) => heads.map((_, head) => [...cache.positions(layer, head)]));

describe("extending a cache", () => {
  test("is stepping token by token, whatever is held and however the tokens are cut", () =>
    holds(
      fc.record({ shape: raggedShapes, more: tokens(1, 30), chunk: fc.constantFrom(1, 2, 7, 128), next: tokens(1, 3) }),
      async ({ shape, more, chunk, next }) => {
        using made = await raggedCache(shape);
        const { model, cache } = made;
        using stepped = cache.fork();
        for (const token of more) await step(model, stepped, token);
        using extended = cache.fork();
        const logits = await extend(model, extended, Int32Array.from(more), { chunk });
        expect(extended.logits).toBe(logits);
        expect(maxDifference(logits, stepped.logits)).toBeLessThan(TOLERANCE);
        expect(held(extended)).toEqual(held(stepped));
        expect({ length: extended.length, bytes: extended.bytes }).toEqual({
          length: stepped.length,
          bytes: stepped.bytes,
        });
        for (const token of next) {
          await step(model, stepped, token);
          await step(model, extended, token);
          expect(maxDifference(extended.logits, stepped.logits)).toBeLessThan(TOLERANCE);
        }
      },
      120,
    ));

  test("of a fork leaves the original as it was", () =>
    holds(
      fc.record({ shape: raggedShapes, more: tokens(1, 20) }),
      async ({ shape, more }) => {
        using made = await raggedCache(shape);
        const { model, cache } = made;
        const before = { held: held(cache), bytes: cache.bytes, logits: cache.logits.slice(), length: cache.length };
        const expected = await generate(model, cache, { maxNewTokens: 5 });
        using first = cache.fork();
        await extend(model, first, Int32Array.from(more));
        const after = { held: held(cache), bytes: cache.bytes, logits: cache.logits, length: cache.length };
        expect(after).toEqual(before);
        expect(await generate(model, cache, { maxNewTokens: 5 })).toEqual(expected);
        using second = cache.fork();
        await extend(model, second, Int32Array.from(more));
        expect(second.logits).toEqual(first.logits);
      },
      40,
    ));
});

describe("an extension", () => {
  test("stops between chunks at an abort; what ran stays, at its positions", async () => {
    using model = await tinyModel();
    using context = await prefill(model, Int32Array.of(1, 2, 3));
    const { cache } = context;
    const controller = new AbortController();
    const more = Int32Array.from({ length: 10 }, (_, i) => i);
    const seen: number[] = [];
    const onProgress = (done: number, total: number) => {
      seen.push(done, total);
      if (done === 8) controller.abort();
    };
    const fault = await faultOf(() => extend(model, cache, more, { chunk: 4, signal: controller.signal, onProgress }));
    expect(fault.code).toBe("aborted");
    expect({ seen, length: cache.length }).toEqual({ seen: [4, 10, 8, 10], length: 11 });
    using stepped = await prefill(model, Int32Array.of(1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7));
    expect(maxDifference(cache.logits, stepped.logits)).toBeLessThan(TOLERANCE);
  });

  test("that cannot be is refused before anything runs", async () => {
    using model = await tinyModel({ contextLength: 8 });
    using context = await prefill(model, Int32Array.of(1, 2, 3, 4));
    const { cache } = context;
    const cases: readonly (readonly [string | Int32Array, object, string])[] = [
      [Int32Array.of(), {}, "empty_prompt"],
      [Int32Array.of(1, 64), {}, "invalid_token"],
      [new Int32Array(5), {}, "prompt_too_long"],
      ["text", {}, "tokenizer_missing"],
      [Int32Array.of(1), { chunk: 0 }, "invalid_option"],
      [Int32Array.of(1), { chunks: 3 }, "invalid_option"],
    ];
    for (const [more, options, code] of cases)
      expect<string>((await faultOf(() => extend(model, cache, more, options))).code).toBe(code);
    expect(cache.length).toBe(4);
    using other = await tinyModel({}, 2);
    expect((await faultOf(() => extend(other, cache, Int32Array.of(1)))).code).toBe("wrong_model");
    await extend(model, cache, new Int32Array(4));
    cache[Symbol.dispose]();
    expect((await faultOf(() => extend(model, cache, Int32Array.of(1)))).code).toBe("disposed");
  });

  test("of text begins no new text: a model that marks beginnings gets no second mark", async () => {
    using tiny = await tinyModel();
    const asked: unknown[] = [];
    const encode = (text: string, options?: object) => {
      asked.push([text, options]);
      return Int32Array.of(5, 6);
    };
    const model = { ...tiny, tokenizer: { encode, decode: () => "", chat: () => "" } };
    using context = await prefill(model, Int32Array.of(1));
    await extend(model, context.cache, "what?");
    expect(asked).toEqual([["what?", { addSpecialTokens: false }]]);
    expect(context.cache.length).toBe(3);
  });
});

const path = await goldenGguf();
if (path !== null)
  test("SmolLM2 answers two questions about one compressed document", async () => {
    using model = await loadModel(path);
    const text = `${"The grass is green. ".repeat(30)}The code of the safe is 7319. ${"The sky is blue. ".repeat(30)}`;
    using context = await prefill(model, `${text}The name of the cat is Tom.`);
    const method = snapKV({ budget: 300 });
    using cache = await compress(context, method);
    for (const [question, answer] of [
      ["\nQuestion: What is the code of the safe?\nAnswer: The code of the safe is", "7319"],
      ["\nQuestion: What is the name of the cat?\nAnswer: The name of the cat is", "Tom"],
    ] as const) {
      using asked = cache.fork();
      await extend(model, asked, question);
      expect((await generate(model, asked, { maxNewTokens: 5 })).text).toContain(answer);
    }
  });
