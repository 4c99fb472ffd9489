/** Which engine runs a model. */

import type { ModelConfig } from "../model/config.ts";
import type { Weights } from "../model/weights/weights.ts";
import { invalid } from "../options.ts";
import type { Engine } from "./index.ts";
import { type OnnxEngineOptions, onnxEngine } from "./onnx/index.ts";

/** "cpu", "webgpu", or "auto": a GPU where the runtime has a real one, else the CPU. */
export type Backend = "cpu" | "webgpu" | "auto";

/**
 * @param options of the CPU engine
 * @throws KvError `device_unavailable` for "webgpu" where there is no device; `invalid_option` for what the GPU engine does not do
 */
export async function openEngine(
  backend: Backend,
  config: ModelConfig,
  weights: Weights,
  options: OnnxEngineOptions,
): Promise<Engine> {
  if (backend === "cpu" || (backend === "auto" && wantsCpu(options))) return onnxEngine(config, weights, options);
  refuse(options);
  // Only now, so that who runs on the CPU loads none of it.
  const [{ openGpu }, { webgpuEngine }] = await Promise.all([import("../gpu/index.ts"), import("./webgpu/index.ts")]);
  const gpu = backend === "webgpu" ? await openGpu() : await openGpu().catch(() => null);
  if (gpu !== null && (backend === "webgpu" || !gpu.software)) {
    try {
      return await webgpuEngine(config, weights, gpu);
    } catch (fault) {
      gpu[Symbol.dispose](); // the engine's only once there is one
      throw fault;
    }
  }
  gpu?.[Symbol.dispose]();
  return onnxEngine(config, weights, options);
}

/** Whether something is asked for that only the CPU engine does. */
const wantsCpu = ({ precision, mapped, worker }: OnnxEngineOptions): boolean =>
  precision === "fast" || mapped === true || worker === true;

function refuse({ precision, mapped, worker }: OnnxEngineOptions): void {
  const on = 'on "webgpu"';
  if (precision === "fast")
    throw invalid(
      ["loadModel", "precision"],
      precision,
      `"fp32" ${on}, which reads quantised matrices as they are anyway`,
    );
  if (mapped) throw invalid(["loadModel", "mapped"], mapped, `false ${on}`);
  if (worker) throw invalid(["loadModel", "worker"], worker, `false ${on}, which does not hold the thread up`);
}
