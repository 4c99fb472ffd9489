/** A model is loaded onto the GPU as it is onto the CPU, and says what it cannot do there. */
import { afterAll, describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { compress, generate, loadModel, prefill, pyramidKV } from "../../src/index.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const llama = fileURLToPath(new URL("../fixtures/tiny/llama", import.meta.url));
const prompt = Int32Array.from({ length: 60 }, (_, i) => (i * 13 + 5) % 100);

// Loads the driver, which models then find.
const driver = await softwareGpu();
afterAll(() => driver[Symbol.dispose]());

describe("backend", () => {
  test("webgpu gives what cpu gives, and provenance says which it was", async () => {
    const answers: unknown[] = [];
    for (const backend of ["webgpu", "cpu"] as const) {
      using model = await loadModel(llama, { backend });
      using context = await prefill(model, prompt, { observe: [pyramidKV({ budget: 24 })] });
      using cache = await compress(context, pyramidKV({ budget: 24 }));
      const { tokens } = await generate(model, cache, { maxNewTokens: 8 });
      const { engine, versions } = await model.provenance();
      expect({ engine, known: Object.keys(versions).includes(engine.split("/")[0] ?? "") }).toEqual({
        engine: backend === "webgpu" ? "webgpu" : "onnxruntime-node/cpu",
        known: true,
      });
      answers.push({ tokens: [...tokens], positions: cache.positions(1, 0) });
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  test("auto takes no software device, and the CPU for what only it does", async () => {
    using model = await loadModel(llama, { backend: "auto" });
    expect(model.engine.name).toBe("onnxruntime-node/cpu");
    using inWorker = await loadModel(llama, { backend: "auto", worker: true });
    expect(inWorker.engine.name).toBe("onnxruntime-node/cpu");
  });

  test("what the GPU engine does not do is refused by name", async () => {
    for (const option of ["mapped", "worker"] as const) {
      const fault = loadModel(llama, { backend: "webgpu", [option]: true });
      await expect(fault).rejects.toMatchObject({ code: "invalid_option", path: ["loadModel", option] });
    }
    // @ts-expect-error not a backend
    await expect(loadModel(llama, { backend: "cuda" })).rejects.toMatchObject({ path: ["loadModel", "backend"] });
  });
});
