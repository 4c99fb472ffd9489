/** A device without room, at any point of a cache's life: what finds none says so, and what was there is as it was. */
import { expect, test } from "bun:test";
import type { Block, Gpu } from "../../src/gpu/index.ts";
import { outOfMemory } from "../../src/gpu/memory.ts";
import {
  compress,
  compressByLayer,
  KvError,
  type Model,
  prefill,
  quantised,
  snapKV,
  step,
  streamingWindow,
} from "../../src/index.ts";
import { gpuModel, lasting } from "../support/gpu-model.ts";
import { tinyConfig } from "../support/random-model.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const config = tinyConfig({ layers: 2, headDim: 16 });
const prompt = Int32Array.from({ length: 90 }, (_, i) => (i * 7) % 64);
const method = snapKV({ budget: 48 });

/** Everything that takes room, one after the other, up to what finds none. */
async function live(model: Model, on: (logits: Float32Array) => void): Promise<KvError | null> {
  try {
    using context = await prefill(model, prompt, { chunk: 32 });
    using cache = await compress(context, method);
    on(await step(model, cache, 1));
    using fork = cache.fork();
    on(await step(model, fork, 2, { evict: streamingWindow({ budget: 20 }) }));
    on(await step(model, context.cache, 3));
    using small = await compress(context, quantised(method, { bits: 4 }));
    on(await step(model, small, 4));
    using layered = await compressByLayer(model, prompt, method, { chunk: 32 });
    on(await step(model, layered, 5));
    return null;
  } catch (fault) {
    if (fault instanceof KvError && fault.code === "out_of_memory") return fault;
    throw fault;
  }
}

/** The same device with less memory, which can be asked for its most. */
function within(gpu: Gpu, room: number) {
  const state = { most: 0 };
  const make = (bytes: number, label: string, block: () => Block): Block => {
    if (gpu.used + bytes > room) throw outOfMemory(label, bytes, "less");
    const made = block();
    state.most = Math.max(state.most, gpu.used);
    return made;
  };
  const changed: Pick<Gpu, "allocate" | "upload"> = {
    allocate: (bytes, label) => make(bytes, label, () => gpu.allocate(bytes, label)),
    upload: (data, label) => make(data.byteLength, label, () => gpu.upload(data, label)),
  };
  return { state, gpu: Object.assign(Object.create(lasting(gpu)), changed) };
}

test("what finds no room says so and leaves nothing, whatever went before it", async () => {
  using gpu = await softwareGpu();
  const logits: Float32Array[] = [];
  const before = gpu.used;
  const whole = within(gpu, Number.POSITIVE_INFINITY);
  const first = await gpuModel(whole.gpu, config);
  const weights = gpu.used;
  expect(await live(first, (one) => logits.push(one.slice()))).toBeNull();
  first[Symbol.dispose]();
  expect(gpu.used).toBe(before);
  const reached: number[] = [];
  for (let share = 0.02; share < 1; share += 0.05) {
    const model = await gpuModel(within(gpu, weights + share * (whole.state.most - weights)).gpu, config);
    let found = 0;
    const check = (one: Float32Array) => expect(one).toEqual(logits[found++] ?? new Float32Array(0));
    expect((await live(model, check))?.code).toBe("out_of_memory");
    reached.push(found);
    // Once more, because what failed must leave room for what comes after.
    found = 0;
    expect((await live(model, check))?.code).toBe("out_of_memory");
    expect(found).toBe(reached.at(-1) ?? -1);
    model[Symbol.dispose]();
    expect(gpu.used).toBe(before);
  }
  expect(new Set(reached).size).toBeGreaterThan(2);
}, 60_000);
