import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { generate, KvCache, type Model, prefill } from "../../src/index.ts";
import { chunkTokenizer } from "../support/chunk-tokenizer.ts";
import { faultOf } from "../support/fault.ts";
import { tinyModel } from "../support/tiny-model.ts";
import { promptOf } from "./helpers.ts";

const NEW = 12;
let model: Model;
let cache: KvCache;

beforeAll(async () => {
  model = await tinyModel({ layers: 2 });
  cache = (await prefill(model, promptOf(40, 1))).cache;
});
afterAll(() => model[Symbol.dispose]());

describe("generated text", () => {
  const bytes = Buffer.from("a€bc🙂d, and so on");
  const oneHot = (token: number) => Float32Array.from({ length: 64 }, (_, i) => (i === token ? 1 : 0));
  /** A model that says `bytes`, token i being bytes 2i and 2i + 1, so that some tokens end within a character. */
  const speaker = (): Model => ({
    ...model,
    tokenizer: chunkTokenizer(Array.from({ length: 64 }, (_, i) => Uint8Array.from(bytes.subarray(2 * i, 2 * i + 2)))),
    engine: {
      ...model.engine,
      async step(batch) {
        for (const { token, cache } of batch) cache.append(new Float32Array(0), oneHot(token + 1));
        return [];
      },
    },
  });
  const speech = () => {
    const { layers, length, geometry } = cache;
    return new KvCache({ model: model.id, geometry, layers, length, logits: oneHot(0) });
  };

  test("joined pieces are the whole text, whatever is held back at the end", async () => {
    for (let end = 1; end <= NEW; end++) {
      for (const stopStrings of [[], ["bc!"], ["🙂"], ["zz", "d, or"]]) {
        for (const ending of [{ maxNewTokens: end }, { stopTokens: [end] }]) {
          const run = generate(speaker(), speech(), { ...ending, stopStrings });
          const items = await Array.fromAsync(run);
          const { text, tokens } = await run;
          expect(items.map((item) => item.text).join("")).toBe(text);
          expect(items.map((item) => item.token)).toEqual([...tokens]);
          const stopped = stopStrings.includes("🙂") && end > 4;
          expect(text).toBe(stopped ? "a€bc" : bytes.subarray(0, 2 * end).toString());
        }
      }
    }
  });

  test("ends before a stop string, and says so", async () => {
    const { text, tokens, finishReason } = await generate(speaker(), speech(), { stopStrings: ["c🙂"] });
    expect({ text, tokens, finishReason }).toEqual({ text: "a€b", tokens: [0, 1, 2, 3, 4], finishReason: "stop" });
  });

  test("a model without tokenizer has no stop strings", async () => {
    const fault = await faultOf(() => generate(model, cache, { stopStrings: ["x"] }));
    expect({ code: fault.code, path: fault.path }).toEqual({
      code: "tokenizer_missing",
      path: ["generate", "stopStrings"],
    });
  });
});
