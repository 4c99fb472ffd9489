/** A model is loaded onto the GPU as it is onto the CPU, and says what it cannot do there. */
import { afterAll, describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { openEngine } from "../../src/engine/open.ts";
import type { Gpu, GpuOptions } from "../../src/gpu/index.ts";
import { unavailable } from "../../src/gpu/provider.ts";
import { compress, generate, loadModel, prefill, pyramidKV } from "../../src/index.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import type { Progress } from "../../src/model/source/options.ts";
import { openFiles } from "../model/helpers.ts";
import { randomWeights, tinyConfig } from "../support/random-model.ts";
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

  test("auto takes no software device, and the CPU for what only it does, and says so", async () => {
    using model = await loadModel(llama, { backend: "auto" });
    expect(model.engine.name).toBe("onnxruntime-node/cpu");
    expect(model.fallback).toMatchObject({ code: "device_unavailable" });
    using inWorker = await loadModel(llama, { backend: "auto", worker: true });
    expect(inWorker.engine.name).toBe("onnxruntime-node/cpu");
    expect(inWorker.fallback).toMatchObject({ code: "invalid_option", path: ["loadModel", "worker"] });
    using asked = await loadModel(llama);
    expect(asked.fallback).toBeNull();
  });

  test("webgpu tells how its weights come, and stops when told to, with its files closed", async () => {
    const seen: Progress[] = [];
    using _ = await loadModel(llama, { backend: "webgpu", onProgress: (progress) => void seen.push(progress) });
    const { device, total, ...last } = seen.at(-1) ?? {};
    expect(last).toEqual({ file: "llama", received: total, source: "disk" });
    expect(device).toBe(driver.name);
    const open = openFiles();
    const ending = new AbortController();
    const loading = loadModel(llama, { backend: "webgpu", signal: ending.signal, onProgress: () => ending.abort() });
    await expect(loading).rejects.toMatchObject({ code: "aborted" });
    expect(openFiles()).toBe(open);
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

describe("auto on a real GPU", () => {
  /** What a test calls one. */
  const real = async (options?: GpuOptions): Promise<Gpu> =>
    Object.create(await softwareGpu(options), { software: { value: false } });
  const opened: Gpu[] = [];
  const openAuto = (config: ModelConfig, open: () => Promise<Gpu>) =>
    openEngine(
      "auto",
      config,
      randomWeights(config, 1),
      { threads: 1 },
      {
        open: async () => {
          const gpu = await open();
          opened.push(gpu);
          return gpu;
        },
      },
    );

  test("takes it", async () => {
    const { engine, fallback } = await openAuto(tinyConfig({ layers: 1 }), real);
    using _ = engine;
    expect({ name: engine.name, fallback }).toEqual({ name: "webgpu", fallback: null });
    opened.at(-1)?.allocate(16, "more")[Symbol.dispose](); // which it has yet
  });

  const refusals: Readonly<Record<string, readonly [Partial<ModelConfig>, () => Promise<Gpu>, object]>> = {
    "sizes that no kernel there takes": [
      { headDim: 6 },
      real,
      { code: "unsupported_architecture", path: ["config", "headDim"], found: 6 },
    ],
    "a device without room": [
      {},
      () => real({ memory: 1000 }),
      { code: "out_of_memory", path: ["webgpu", "weights", "bytes"] },
    ],
    "a device that does not open": [
      {},
      () => Promise.reject(unavailable("busy", "free")),
      { code: "device_unavailable" },
    ],
  };
  for (const [what, [facts, open, reason]] of Object.entries(refusals))
    test(`takes the CPU for ${what}, and says why`, async () => {
      opened.length = 0;
      const { engine, fallback } = await openAuto({ ...tinyConfig({ layers: 1 }), ...facts }, open);
      using _ = engine;
      expect(engine.name).toBe("onnxruntime-node/cpu");
      expect(fallback).toMatchObject(reason);
      for (const gpu of opened) expect(() => gpu.allocate(16, "more")).toThrow("disposed"); // given back
    });

  test("throws what is wrong with the files, or that it was aborted", async () => {
    const config = tinyConfig({ layers: 1 });
    const broken = () => openEngine("auto", { ...config, layers: 2 }, randomWeights(config, 1), {}, { open: real });
    await expect(broken()).rejects.toThrow("no tensor");
    const signal = AbortSignal.abort();
    const aborted = openEngine("auto", config, randomWeights(config, 1), {}, { open: real, signal });
    await expect(aborted).rejects.toMatchObject({ code: "aborted" });
  });
});
