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
  // 0.1 to 0.2 were seen, and a shift of all logits alike, up to 0.8, that no probability sees (2026-11).
  test("SmolLM2's fast logits are transformers' within 0.4 RMS, up to a shift, and mostly favour the same", async () => {
    using model = await loadModel(path, { precision: "fast", progress: false });
    const expected = golden("smollm2/golden-docqa-228.safetensors");
    const tokens = Int32Array.from(expected("ids").ints);
    const { logits } = await model.engine.prefill({ tokens, chunk: 512, lastQueries: 1, allLogits: true });
    const { vocabSize } = model.config;
    const positions = expected("logit_positions").ints;
    const favoured = positions.filter((position, i) => {
      const ours = logits.subarray(position * vocabSize, (position + 1) * vocabSize);
      const theirs = expected("logits").floats.subarray(i * vocabSize, (i + 1) * vocabSize);
      const differences = ours.map((value, j) => value - (theirs[j] ?? Number.NaN));
      const shift = differences.reduce((sum, value) => sum + value, 0) / vocabSize;
      const squares = differences.reduce((sum, value) => sum + (value - shift) ** 2, 0);
      expect(Math.sqrt(squares / vocabSize)).toBeLessThan(0.4);
      return argmax(ours) === argmax(theirs);
    });
    expect(favoured.length).toBeGreaterThan(positions.length / 2);
  });

  test("SmolLM2's fast weights are 112 MB, not 538", async () => {
    using files = await openModel(path);
    const bytes = (precision: Precision) =>
      buildDecoder(files.config, files.weights, precision).weights.reduce((sum, weight) => sum + weight.byteLength, 0);
    expect(bytes("fp32")).toBe(538_060_032);
    expect(bytes("fast")).toBe(111_617_280);
  });
}
