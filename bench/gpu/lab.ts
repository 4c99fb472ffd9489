/** What the rows share: a device, its limits, a model with random weights, and its prompt. Each is made when a row first asks for it. */
import { type GpuArrays, gpuArrays } from "../../kernels/gpu/arrays.ts";
import type { Context } from "../../src/context.ts";
import type { Precision } from "../../src/engine/index.ts";
import { webgpuEngine } from "../../src/engine/webgpu/index.ts";
import type { Gpu } from "../../src/gpu/index.ts";
import type { Model } from "../../src/load.ts";
import { pyramidKV } from "../../src/methods/pyramidkv.ts";
import { snapKV } from "../../src/methods/snapkv.ts";
import { prefill } from "../../src/prefill.ts";
import { type Bandwidth, bandwidth, multiplying } from "./limits.ts";
import { seconds } from "./measure.ts";
import { randomWeights, type StoredAs } from "./random-weights.ts";
import type { Scale } from "./scale.ts";

/** A prompt that went through the network. */
export interface Prefilled {
  readonly context: Context;
  readonly seconds: number;
}

/** A model on the device, and how long it took to bring it there. */
export interface Brought {
  readonly model: Model;
  readonly seconds: number;
  /** Bytes on the device. */
  readonly bytes: number;
}

export interface LabOptions {
  /** How the network's matrices are stored; default Q4_0. */
  readonly stored?: StoredAs;
  /** How exactly the network multiplies; default fp32. */
  readonly precision?: Precision;
  /** Told of what takes long, how far it is. */
  readonly tell?: (text: string) => void;
}

const SEED = 20240602;

export class Lab implements Disposable {
  readonly gpu: Gpu;
  readonly arrays: GpuArrays;
  readonly scale: Scale;
  readonly stored: StoredAs;
  readonly precision: Precision;
  readonly #made: Disposable[] = [];
  readonly #tell: (text: string) => void;

  /** Takes the device over. */
  constructor(
    gpu: Gpu,
    scale: Scale,
    { stored = "Q4_0", precision = "fp32", tell = () => undefined }: LabOptions = {},
  ) {
    this.gpu = gpu;
    this.arrays = gpuArrays(gpu);
    this.scale = scale;
    this.stored = stored;
    this.precision = precision;
    this.#tell = tell;
  }

  readonly bandwidth = once((): Promise<Bandwidth> => bandwidth(this.arrays, this.scale));
  readonly f32 = once(() => multiplying(this.arrays, this.scale, "f32"));
  /** null where the device has no half precision. */
  readonly f16 = once(async () => (this.gpu.features.f16 ? multiplying(this.arrays, this.scale, "f16") : null));

  readonly model = once(async (): Promise<Brought> => {
    const { config, name } = this.scale;
    const before = this.gpu.used;
    const [engine, took] = await seconds(this.gpu, () =>
      webgpuEngine(config, randomWeights(config, SEED, this.stored), this.gpu, { precision: this.precision }),
    );
    const id = `random ${name}`;
    const model: Model = {
      id,
      revision: null,
      config,
      engine,
      tokenizer: null,
      provenance: async () => ({
        model: id,
        revision: null,
        weights: `random-${this.stored}-${SEED}`,
        engine: engine.name,
        precision: engine.precision,
        threads: 1,
        versions: {},
      }),
      [Symbol.dispose]: () => engine[Symbol.dispose](),
    };
    this.#made.unshift(model);
    return { model, seconds: took, bytes: this.gpu.used - before };
  });

  readonly prompt = once(async (): Promise<Prefilled> => {
    const { model } = await this.model();
    const { prompt, chunk, budget } = this.scale;
    const observe = [snapKV({ budget }), pyramidKV({ budget })];
    // Programs are compiled, and what the network works in is allocated.
    (await prefill(model, promptOf(this.scale, Math.min(chunk, prompt)), { observe, chunk }))[Symbol.dispose]();
    const onProgress = (done: number, total: number) => this.#tell(`prefill: ${done} of ${total} tokens`);
    const [context, took] = await seconds(this.gpu, () =>
      prefill(model, promptOf(this.scale, prompt), { observe, chunk, onProgress }),
    );
    this.#made.unshift(context);
    return { context, seconds: took };
  });

  [Symbol.dispose](): void {
    for (const part of this.#made) part[Symbol.dispose]();
    this.gpu[Symbol.dispose]();
  }
}

/** Tokens whose meaning does not change the work. */
export const promptOf = ({ config }: Scale, length: number): Int32Array =>
  Int32Array.from({ length }, (_, i) => (i * 7919) % config.vocabSize);

/** Made once, for everybody who asks; so is its failure. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
