/** "fast" precision on the GPU: as near to fp32 as the CPU's, and refused where nothing would be faster. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type LoadOptions, loadModel, prefill } from "../../src/index.ts";
import { scratch } from "../model/helpers.ts";
import { writeQuantised } from "../support/quantised-model.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const llama = fileURLToPath(new URL("../fixtures/tiny/llama", import.meta.url));
const prompt = Int32Array.from({ length: 40 }, (_, i) => (i * 13 + 5) % 64);

// Loads the driver, which models then find.
const driver = await softwareGpu();
const { f16 } = driver.features;
afterAll(() => driver[Symbol.dispose]());

async function logitsOf(path: string, options: LoadOptions) {
  using model = await loadModel(path, { threads: 1, progress: false, graphCache: false, ...options });
  expect(model.engine.precision).toBe(options.precision ?? "fp32");
  // Many tokens at once, then few.
  using context = await prefill(model, prompt, { chunk: 36 });
  return context.logits;
}

const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((x, i) => x - (b[i] ?? Number.NaN)));

describe("fast precision on the GPU", () => {
  test("is another than fp32, and as near to it as the CPU's", async () => {
    using folder = scratch();
    const path = await writeQuantised(join(folder.path, "m.gguf"), (i) => (i % 2 === 0 ? "Q4_1" : "Q8_0"));
    const exact = await logitsOf(path, { backend: "cpu" });
    const onCpu = await logitsOf(path, { backend: "cpu", precision: "fast" });
    const fast = await logitsOf(path, { backend: "webgpu", precision: "fast" });
    const usual = distance(onCpu, exact);
    expect(distance(fast, exact)).toBeGreaterThan(0.02 * usual);
    expect(distance(fast, exact)).toBeLessThan(2 * usual);
  });

  test.skipIf(f16)("is refused without half precision for a model that is not quantised", async () => {
    for (const backend of ["webgpu", "auto"] as const)
      await expect(loadModel(llama, { backend, precision: "fast", progress: false })).rejects.toMatchObject({
        code: "invalid_option",
        path: ["loadModel", "precision"],
        found: "fast",
      });
  });
});
