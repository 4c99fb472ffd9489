/** Every supported family against Hugging Face transformers, on tiny random models stored as safetensors. */

import { describe, test } from "bun:test";
import { strict as assert } from "node:assert";
import { compress, full, generate, h2o, prefill, retain, step } from "../../src/index.ts";
import { observations } from "../../src/observations.ts";
import { accumulatedAttention } from "../../src/scoring/accumulated-attention.ts";
import { windowAttention } from "../../src/scoring/window-attention.ts";
import { argmax } from "../../src/tensor.ts";
import { fixture, type GoldenEntry, golden, maxDifference } from "../support/golden.ts";
import { modelIn } from "../support/tiny-model.ts";

const FAMILIES = ["llama", "llama-mha-untied", "llama3-rope", "mistral-sliding", "qwen2", "qwen3", "phi3", "gemma3"];
const TOLERANCE = 1e-4;

for (const family of FAMILIES) {
  describe(`${family} agrees with transformers`, () => {
    const expected = golden(`tiny/${family}/golden.safetensors`);
    const prompt = Int32Array.from(expected("ids").ints);
    const open = () => modelIn(fixture(`tiny/${family}`));

    test("in the logits of every position, whatever the chunk", async () => {
      using model = await open();
      for (const chunk of [512, 13]) {
        const { logits } = await model.engine.prefill({ tokens: prompt, chunk, lastQueries: 1, allLogits: true });
        assert.ok(maxDifference(logits, expected("logits").floats) < TOLERANCE, `chunk ${chunk}`);
      }
    });

    test("in the keys and values of every layer", async () => {
      using model = await open();
      using context = await prefill(model, prompt);
      for (const [layer, { keys, values }] of (await context.read()).entries()) {
        assert.ok(maxDifference(keys, expected(`k.${layer}`).floats) < TOLERANCE, `keys of layer ${layer}`);
        assert.ok(maxDifference(values, expected(`v.${layer}`).floats) < TOLERANCE, `values of layer ${layer}`);
      }
    });

    test("in the attention that H2O's column sums and SnapKV's window add up", async () => {
      using model = await open();
      using context = await prefill(model, prompt, { observe: [h2o({ budget: 32 })], chunk: 24 });
      for (const observed of observations(context).filter(({ layer }) => layer === 0 || layer === 2)) {
        const attention = expected(`attn.${observed.layer}`).floats; // [H, n, n]
        for (const [score, firstQuery, keys] of [
          [accumulatedAttention(), 0, prompt.length],
          [windowAttention(8), prompt.length - 8, prompt.length - 8],
        ] as const) {
          const scores = await score.evaluate({ ...observed, candidates: { from: 0, to: keys } });
          const sums = columnSums(attention, model.config.queryHeads, prompt.length, firstQuery, keys);
          assert.ok(
            maxDifference(scores.data, sums) < TOLERANCE,
            `layer ${observed.layer}, queries from ${firstQuery}`,
          );
        }
      }
    });

    test("in its greedy continuation", async () => {
      using model = await open();
      using context = await prefill(model, prompt);
      using cache = await compress(context, full());
      const { tokens } = await generate(model, cache, { maxNewTokens: 16, stopTokens: [] });
      assert.deepEqual(tokens, expected("greedy").ints);
    });

    test("in the logits on a ragged cache, where transformers masks what is evicted", async () => {
      using model = await open();
      using context = await prefill(model, prompt);
      using cache = await retain(
        context,
        Array.from({ length: model.config.layers }, (_, layer) => rows(expected(`keep.${layer}`))),
      );
      const logits = await step(model, cache, argmax(context.logits));
      assert.ok(maxDifference(logits, expected("masked_logits").floats) < TOLERANCE);
    });
  });
}

/** Sums of [H, n, n] over the queries from `firstQuery`, for the first `keys` keys: [H, keys]. */
function columnSums(attention: Float32Array, heads: number, n: number, firstQuery: number, keys: number): Float64Array {
  return Float64Array.from({ length: heads * keys }, (_, at) => {
    const [head, key] = [Math.floor(at / keys), at % keys];
    let sum = 0;
    for (let query = firstQuery; query < n; query++) sum += attention[(head * n + query) * n + key] ?? Number.NaN;
    return sum;
  });
}

const rows = ({ ints, dims: [heads = 0, count = 0] }: GoldenEntry) =>
  Array.from({ length: heads }, (_, h) => Int32Array.from(ints.slice(h * count, (h + 1) * count)));
