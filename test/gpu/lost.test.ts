/** A device that is lost, or given up, while it works: whoever waits is told, and so is whoever comes after. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { compress, generate, prefill, pyramidKV, step } from "../../src/index.ts";
import type { Model } from "../../src/load.ts";
import { faultOf } from "../support/fault.ts";
import { gpuModel } from "../support/gpu-model.ts";
import { losableGpu } from "../support/losable-gpu.ts";
import { tinyConfig } from "../support/random-model.ts";

const config = tinyConfig({ layers: 1 });
const prompt = Int32Array.from({ length: 20 }, (_, i) => (i * 7) % 64);
const method = pyramidKV({ budget: 12 });
const unhandled: unknown[] = [];
const note = (fault: unknown) => void unhandled.push(fault);
beforeAll(() => void process.on("unhandledRejection", note));
afterAll(() => void process.off("unhandledRejection", note));

/** A model on a device that can be lost, of which nothing is left in the end, nor has anything failed that nobody waited for. */
async function withModel(work: (model: Model, lose: () => void) => Promise<void>): Promise<void> {
  using device = await losableGpu();
  {
    using model = await gpuModel(device.gpu, config);
    await work(model, device.lose);
    model[Symbol.dispose]();
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(unhandled).toEqual([]);
  expect(device.gpu.used).toBe(0);
}

const lost = { code: "device_lost", path: ["webgpu"] };
const disposed = { code: "disposed" };

describe("a device that is lost is told of", () => {
  test("between a prompt's chunks, and to who comes after", () =>
    withModel(async (model, lose) => {
      using before = await prefill(model, prompt);
      const onProgress = (done: number) => done === 8 && lose();
      const fault = await faultOf(() =>
        prefill(model, prompt, { chunk: 4, onProgress: (done) => void onProgress(done) }),
      );
      expect(fault).toMatchObject(lost);
      expect(await faultOf(() => prefill(model, prompt))).toMatchObject(lost);
      expect(await faultOf(() => compress(before, method))).toMatchObject(lost);
    }));

  test("in the middle of a chunk, whoever waits in turn behind it", () =>
    withModel(async (model, lose) => {
      const runs = [1, 2, 3].map(() => faultOf(() => prefill(model, prompt)));
      await new Promise((resolve) => setTimeout(resolve));
      lose();
      for (const fault of await Promise.all(runs)) expect(fault).toMatchObject(lost);
    }));

  test("in the middle of a step", () =>
    withModel(async (model, lose) => {
      using context = await prefill(model, prompt, { observe: [method] });
      using cache = await compress(context, method);
      await step(model, cache, 1);
      const next = faultOf(() => step(model, cache, 2));
      lose();
      expect(await next).toMatchObject(lost);
      expect(await faultOf(() => generate(model, cache, { maxNewTokens: 3 }))).toMatchObject(lost);
    }));

  test("while the weights come", async () => {
    using device = await losableGpu();
    const loading = gpuModel(device.gpu, config, {
      onProgress: (done, total) => void (done > total / 2 && device.lose()),
    });
    expect(await faultOf(() => loading)).toMatchObject(lost);
    expect(device.gpu.used).toBe(0);
  });
});

describe("a model that is disposed while it works", () => {
  test("says so to who waits", () =>
    withModel(async (model) => {
      const runs = [1, 2].map(() => faultOf(() => prefill(model, prompt)));
      await new Promise((resolve) => setTimeout(resolve));
      model[Symbol.dispose]();
      for (const fault of await Promise.all(runs)) expect(fault).toMatchObject(disposed);
    }));
});
