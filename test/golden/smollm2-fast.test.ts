/** The default model at the fast precision: how far from transformers' fp32, and how much smaller. */
import { expect, test } from "bun:test";
import type { Precision } from "../../src/engine/index.ts";
import { buildDecoder } from "../../src/engine/onnx/decoder.ts";
import { loadModel } from "../../src/index.ts";
import { openModel } from "../../src/model/open.ts";
import { argmax } from "../../src/tensor.ts";
import { golden } from "../support/golden.ts";
import { goldenGguf } from "../support/golden-model.ts";

const path = await goldenGguf();
if (path !== null) {
  // Measured in 2026-11: 0.2 RMS; see loadModel.
  test("SmolLM2's fast logits are transformers' within 0.4, RMS, and favour the same", async () => {
    using model = await loadModel(path, { precision: "fast", progress: false });
    const expected = golden("smollm2/golden-docqa-228.safetensors");
    const tokens = Int32Array.from(expected("ids").ints);
    const { logits } = await model.engine.prefill({ tokens, chunk: 512, lastQueries: 1, allLogits: true });
    const { vocabSize } = model.config;
    const positions = expected("logit_positions").ints;
    const favoured = positions.filter((position, i) => {
      const ours = logits.subarray(position * vocabSize, (position + 1) * vocabSize);
      const theirs = expected("logits").floats.subarray(i * vocabSize, (i + 1) * vocabSize);
      const squares = ours.reduce((sum, value, j) => sum + (value - (theirs[j] ?? Number.NaN)) ** 2, 0);
      expect(Math.sqrt(squares / vocabSize)).toBeLessThan(0.4);
      return argmax(ours) === argmax(theirs);
    });
    expect(favoured.length).toBeGreaterThan(0.8 * positions.length);
  });

  test("SmolLM2's fast weights are 112 MB, not 538", async () => {
    using files = await openModel(path);
    const bytes = (precision: Precision) =>
      buildDecoder(files.config, files.weights, precision).weights.reduce((sum, weight) => sum + weight.byteLength, 0);
    expect(bytes("fp32")).toBe(538_060_032);
    expect(bytes("fast")).toBe(1);
  });
}
