/** A model's weights on their way to a device: in parts where it has no large buffers, told of, aborted, and refused where there is no room. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gpuArrays } from "../../kernels/gpu/arrays.ts";
import type { Engine } from "../../src/engine/index.ts";
import { onnxEngine } from "../../src/engine/onnx/index.ts";
import { webgpuEngine } from "../../src/engine/webgpu/index.ts";
import { uploadWeights } from "../../src/engine/webgpu/weights.ts";
import { prefill } from "../../src/index.ts";
import { openModel } from "../../src/model/open.ts";
import { storedBytes } from "../../src/model/weights/dequantise.ts";
import type { WeightType } from "../../src/model/weights/weights.ts";
import { faultOf } from "../support/fault.ts";
import { maxDifference } from "../support/golden.ts";
import { gpuModel, lasting } from "../support/gpu-model.ts";
import { writeQuantised } from "../support/quantised-model.ts";
import { type NetworkKind, randomWeights, tinyConfig } from "../support/random-model.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const gpu = await softwareGpu();
afterAll(() => gpu[Symbol.dispose]());

const TOKENS = Int32Array.of(3, 600, 4, 1, 5);

async function logitsOf(engine: Engine): Promise<Float32Array> {
  const { logits, entries } = await engine.prefill({ tokens: TOKENS, chunk: 3, lastQueries: 1, allLogits: true });
  entries[Symbol.dispose]();
  return logits;
}

describe("on a device of small buffers", () => {
  /** Wide enough for super-blocks and for matrices that are larger than what a layer's first pages take: 64 KiB. */
  const config = {
    ...tinyConfig({ layers: 1, queryHeads: 32, kvHeads: 2, headDim: 8 }),
    hiddenSize: 256,
    intermediateSize: 512,
    vocabSize: 601,
  };
  const largest = 70_000;
  /** Of the embeddings, q, k, v, o, gate, up, down and the head, where it is not the embeddings. */
  const models: Readonly<Record<string, readonly WeightType[]>> = {
    "a head of its own": ["Q4_K", "F16", "F16", "F16", "Q8_0", "Q4_1", "Q4_1", "F32", "Q8_0"],
    "tied embeddings": ["F16", "Q8_0", "Q8_0", "F32", "F32", "Q4_K", "Q4_1", "Q8_0"],
  };

  for (const [name, types] of Object.entries(models))
    test(`matrices of every form lie in parts, and give what they give in one, with ${name}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "pyramidkv-parts-"));
      const own = { ...config, tiedEmbeddings: types.length === 8 };
      const path = await writeQuantised(join(folder, "model.gguf"), (i) => types[i] ?? "F32", { config: own });
      using small = await softwareGpu({ largest });
      {
        using files = await openModel(path);
        using weights = await uploadWeights(gpuArrays(small), files.config, files.weights);
        const { embeddings, head, layers } = weights;
        for (const matrix of [embeddings, head, ...layers.map(({ gateAndUp }) => gateAndUp)]) {
          expect(matrix.parts.length).toBeGreaterThan(1);
          for (const { values } of matrix.parts) expect(values.byteLength).toBeLessThanOrEqual(largest);
        }
        expect(head === embeddings).toBe(own.tiedEmbeddings);
      }
      expect(small.used).toBe(0);
      const [onSmall, onCpu] = [await openModel(path), await openModel(path)];
      using found = await webgpuEngine(onSmall.config, onSmall.weights, lasting(small));
      using expected = await onnxEngine(onCpu.config, onCpu.weights, { threads: 1 });
      expect(maxDifference(await logitsOf(found), await logitsOf(expected))).toBeLessThan(1e-4);
      await rm(folder, { recursive: true });
    });
});

describe("weights on their way", () => {
  const config = tinyConfig({ layers: 2 });

  test("are told of, to the last byte of the files", async () => {
    const seen: (readonly [number, number])[] = [];
    using _ = await gpuModel(lasting(gpu), config, { onProgress: (done, total) => void seen.push([done, total]) });
    const weights = randomWeights(config, 1);
    const total = weights.tensors.reduce((sum, { name }) => sum + storedBytes("F32", weights.read(name).length), 0);
    expect(seen.at(-1)).toEqual([total, total]);
    expect(seen.map(([done]) => done)).toEqual(seen.map(([done]) => done).toSorted((a, b) => a - b));
    expect(new Set(seen.map(([, all]) => all))).toEqual(new Set([total]));
    expect(new Set(seen.map(([done]) => done)).size).toBe(2 * 9 + 2); // of each layer seven matrices and two norms
  });

  test("stop where they are once aborted, and nothing stays on the device", async () => {
    const before = gpu.used;
    for (let after = 0; after < 14; after++) {
      const ending = new AbortController();
      let told = 0;
      const onProgress = () => {
        if (told++ === after) ending.abort();
      };
      const fault = await faultOf(() => gpuModel(lasting(gpu), config, { onProgress, signal: ending.signal }));
      expect(fault).toMatchObject({ code: "aborted", path: ["signal"] });
      expect({ told, used: gpu.used }).toEqual({ told: after + 1, used: before });
    }
  });

  test("that cannot be read leave nothing on the device, nor does a caller who throws", async () => {
    const before = gpu.used;
    const weights = randomWeights(config, 1);
    const broken = { ...weights, read: (name: string) => (name === "model.norm.weight" ? fail() : weights.read(name)) };
    const fail = () => {
      throw new Error("broken");
    };
    expect(gpuModel(lasting(gpu), config, {}, broken)).rejects.toThrow("broken");
    expect(gpuModel(lasting(gpu), config, { onProgress: fail })).rejects.toThrow("broken");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(gpu.used).toBe(before);
  });
});

describe("a device without room", () => {
  const kinds: readonly NetworkKind[] = ["llama", "biased", "gemma"];

  test("for all weights is told before any of them comes, and how much they need", async () => {
    for (const kind of kinds) {
      const config = tinyConfig({ layers: 2, kind });
      const needed = randomWeights(config, 1).tensors.reduce(
        (sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b),
        0,
      );
      using small = await softwareGpu({ memory: needed - 1 });
      using held = small.allocate(160, "of another");
      const told: number[] = [];
      const fault = await faultOf(() =>
        gpuModel(lasting(small), config, { onProgress: (done) => void told.push(done) }),
      );
      expect(fault).toMatchObject({
        code: "out_of_memory",
        path: ["webgpu", "weights", "bytes"],
        found: needed,
        allowed: `at most ${needed - 161} beside the 160 in use`,
      });
      expect(fault.message).toContain("a smaller quantisation");
      expect(told).toEqual([]);
      expect(small.used).toBe(held.byteLength);
    }
  });

  test("for the rest is told too, however far it got, and nothing stays", async () => {
    const config = tinyConfig({ layers: 2, kind: "biased" });
    const before = gpu.used;
    using whole = await gpuModel(lasting(gpu), config);
    const needed = gpu.used - before;
    whole[Symbol.dispose]();
    const [steps, all] = [12, needed - 16];
    for (let i = 0; i <= steps; i++) {
      using small = await softwareGpu({ memory: Math.floor((all * i) / steps) });
      const fault = await faultOf(() => gpuModel(lasting(small), config));
      expect(fault).toMatchObject({ code: "out_of_memory" });
      expect(small.used).toBe(0);
    }
    using enough = await softwareGpu({ memory: needed });
    using _ = await gpuModel(lasting(enough), config);
    expect(enough.used).toBe(needed);
  });

  test("for a run says what is in use and what would take less, keeps nothing of it, and goes on", async () => {
    const config = tinyConfig({ layers: 2 });
    const before = gpu.used;
    using whole = await gpuModel(lasting(gpu), config);
    using small = await softwareGpu({ memory: gpu.used - before + 150_000 });
    whole[Symbol.dispose]();
    {
      using model = await gpuModel(lasting(small), config);
      const run = (length: number) =>
        prefill(
          model,
          Int32Array.from({ length }, (_, i) => i % 64),
        );
      const few = async () => {
        using context = await run(3);
        return context.logits;
      };
      const expected = await few();
      const used: number[] = [];
      for (let i = 0; i < 3; i++) {
        const fault = await faultOf(() => run(300));
        expect(fault.code).toBe("out_of_memory");
        expect(fault.message).toMatch(
          /beside the \d+ in use: weights take \d+ of .* a smaller batch, .* a lower budget/,
        );
        used.push(small.used);
      }
      expect(new Set(used).size).toBe(1);
      expect(await few()).toEqual(expected);
    }
    expect(small.used).toBe(0);
  });

  test("may say so late: the error is the same", async () => {
    // This driver lets a buffer be asked for that it cannot make.
    using block = gpu.allocate(gpu.limits.maxBufferSize, "too large");
    gpu.write(block, 0, new Uint8Array(16));
    const fault = await faultOf(() => gpu.settled());
    expect(fault).toMatchObject({ code: "out_of_memory", path: ["webgpu", "too large", "bytes"], found: 2 ** 30 });
    await gpu.settled(); // and goes on
  });
});
