/**
 * Models for whole-network laws: random tiny weights on a real engine, and the golden fixtures of real families. The engine is the CPU's, or
 * with PYRAMIDKV_ENGINE=webgpu the GPU's on a software device.
 */
import type { Engine } from "../../src/engine/index.ts";
import { type OnnxEngineOptions, onnxEngine } from "../../src/engine/onnx/index.ts";
import { webgpuEngine } from "../../src/engine/webgpu/index.ts";
import type { Model } from "../../src/load.ts";
import type { ModelConfig } from "../../src/model/config.ts";
import { openModel } from "../../src/model/open.ts";
import type { Weights } from "../../src/model/weights/weights.ts";
import { randomWeights, type TinyShape, tinyConfig } from "./random-model.ts";
import { sharedGpu } from "./software-gpu.ts";

export interface TinyModel extends Model {
  readonly weights: Weights;
}

/** A random model; equal shapes and seeds give equal models. */
export function tinyModel(shape: TinyShape = {}, seed = 1, options: OnnxEngineOptions = {}): Promise<TinyModel> {
  const config = tinyConfig(shape);
  return modelOf(`random-${seed}`, config, randomWeights(config, seed), options);
}

/** A model of a folder, on the same engine. */
export async function modelIn(folder: string): Promise<TinyModel> {
  const { config, weights } = await openModel(folder);
  return modelOf(folder, config, weights, {});
}

const shared = new Map<string, Promise<TinyModel>>();

/** As `tinyModel`, but made once and never disposed, so that a property's trial costs milliseconds. */
export function sharedModel(shape: TinyShape, seed: number): Promise<TinyModel> {
  const key = JSON.stringify([shape, seed]);
  const model = shared.get(key) ?? tinyModel(shape, seed);
  shared.set(key, model);
  return model;
}

async function modelOf(
  id: string,
  config: ModelConfig,
  weights: Weights,
  options: OnnxEngineOptions,
): Promise<TinyModel> {
  const engine = await engineOf(config, weights, options);
  return {
    id,
    revision: null,
    config,
    engine,
    tokenizer: null,
    weights,
    async provenance() {
      return {
        model: id,
        revision: null,
        weights: id,
        engine: engine.name,
        precision: engine.precision,
        threads: 1,
        versions: {},
      };
    },
    [Symbol.dispose]: () => engine[Symbol.dispose](),
  };
}

async function engineOf(config: ModelConfig, weights: Weights, options: OnnxEngineOptions): Promise<Engine> {
  if (process.env.PYRAMIDKV_ENGINE !== "webgpu") return onnxEngine(config, weights, { threads: 1, ...options });
  return webgpuEngine(config, weights, await sharedGpu());
}
