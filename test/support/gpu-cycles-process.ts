/**
 * Models, or devices, come and go, and what memory did is printed as JSON: `gpu-cycles-process.ts models|devices COUNT [keep]`, where `keep`
 * disposes of nothing until the end.
 */
import { compress, prefill, pyramidKV, step } from "../../src/index.ts";
import type { Model } from "../../src/load.ts";
import { gpuModel, lasting } from "./gpu-model.ts";
import { tinyConfig } from "./random-model.ts";
import { softwareGpu } from "./software-gpu.ts";

/** Memory is read after each of as many equal blocks of cycles. */
export const BLOCKS = 20;

/** After each block of cycles. */
export interface GpuReadings {
  /** Bytes of the process, of which this device's memory is a part. */
  readonly resident: readonly number[];
  /** Of typed arrays, counted exactly. */
  readonly arrays: readonly number[];
  /** Bytes on the device that outlives the others. */
  readonly used: readonly number[];
}

const config = {
  ...tinyConfig({ layers: 1, queryHeads: 2, kvHeads: 1, headDim: 4 }),
  hiddenSize: 8,
  intermediateSize: 8,
};
const prompt = Int32Array.from({ length: 4 }, (_, i) => (i * 7) % 64);
const method = pyramidKV({ budget: 3, window: 2 });

async function use(model: Model): Promise<void> {
  using context = await prefill(model, prompt, { observe: [method] });
  using cache = await compress(context, method);
  await step(model, cache, 1);
}

if (import.meta.main) {
  const [what = "", count = "", keep = ""] = process.argv.slice(2);
  console.log(JSON.stringify(await readings(what, Number(count), keep === "keep")));
}

async function readings(what: string, count: number, keep: boolean): Promise<GpuReadings> {
  using gpu = await softwareGpu();
  const kept: Disposable[] = [];
  const cycles: Readonly<Record<string, () => Promise<Model>>> = {
    models: () => gpuModel(lasting(gpu), config),
    // Programs are compiled for each device, which takes longer than all else, so these only come and go.
    devices: async () => gpuModel(await softwareGpu(), config),
  };
  const seen: NodeJS.MemoryUsage[] = [];
  const used: number[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    for (let i = 0; i < count / BLOCKS; i++) {
      const model = await cycles[what]?.();
      if (model === undefined) throw new Error(`no cycle ${what}`);
      if (what === "models") await use(model);
      if (keep) kept.push(model);
      else model[Symbol.dispose]();
    }
    for (let pass = 0; pass < 3; pass++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      Bun.gc(true);
    }
    seen.push(process.memoryUsage());
    used.push(gpu.used);
  }
  for (const made of kept) made[Symbol.dispose]();
  return { resident: seen.map(({ rss }) => rss), arrays: seen.map(({ arrayBuffers }) => arrayBuffers), used };
}
