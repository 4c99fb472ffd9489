/** A model whose file mixes types as llama.cpp's Q4_K_M does: most of it Q4_K, what matters more Q6_K, norms in fp32. */

import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Precision } from "../../src/engine/index.ts";
import { loadModel, prefill, step } from "../../src/index.ts";
import { openModel } from "../../src/model/open.ts";
import type { WeightType } from "../../src/model/weights/weights.ts";
import { maxDifference } from "../support/golden.ts";
import { superBlockConfig, writeQuantised } from "../support/quantised-model.ts";
import { referenceLogits } from "../support/reference-decoder.ts";
import { scratch } from "./helpers.ts";

/** Embeddings, then q, k, v, o, gate, up and down of each layer. */
const TYPES: readonly WeightType[] = [
  ...(["Q6_K", "Q4_K", "Q4_K", "Q6_K", "Q4_K", "Q4_K", "Q4_K", "Q6_K"] as const),
  ...(["Q5_K", "Q5_0", "Q5_1", "Q3_K", "Q2_K", "Q8_0", "Q4_K"] as const),
];
const PROMPT = Int32Array.from({ length: 24 }, (_, i) => (i * 37) % 64);
const NEXT = 5;

test("runs as the plain decoder on the numbers that the file stands for, and nearly so in fast precision", async () => {
  using folder = scratch();
  const config = superBlockConfig();
  const path = await writeQuantised(join(folder.path, "m.gguf"), (i) => TYPES[i] ?? "F32", { config });
  using files = await openModel(path);
  const types = files.weights.tensors.map(({ type }) => type);
  expect(types.filter((type) => type !== "F32").join()).toBe(TYPES.join());
  const expected = referenceLogits(files.config, files.weights, [...PROMPT, NEXT]);
  const found = async (precision: Precision) => {
    using model = await loadModel(path, { precision, threads: 1, progress: false, graphCache: false });
    using context = await prefill(model, PROMPT);
    return [...context.logits, ...(await step(model, context.cache, NEXT))];
  };
  const last = expected.slice(-2).flat();
  expect(maxDifference(await found("fp32"), last)).toBeLessThan(1e-4);
  const fast = await found("fast");
  const off = fast.map((logit, i) => logit - (last[i] ?? Number.NaN));
  expect(rms(off)).toBeGreaterThan(1e-4); // else the products were not fast
  expect(rms(off)).toBeLessThan(0.15 * rms(last));
});

const rms = (values: readonly number[]) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
