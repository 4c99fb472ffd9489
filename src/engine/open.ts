/** Which engine runs a model. */

import { KvError } from "../error.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Weights } from "../model/weights/weights.ts";
import { invalid } from "../options.ts";
import type { Engine } from "./index.ts";
import { type OnnxEngineOptions, onnxEngine } from "./onnx/index.ts";
import { canBeFast } from "./onnx/linear.ts";
import { canBeFastOn } from "./webgpu/fast.ts";

/** "cpu", "webgpu", or "auto": a GPU where the runtime has a real one, else the CPU. */
export type Backend = "cpu" | "webgpu" | "auto";

/**
 * @param options of the CPU engine
 * @throws KvError `device_unavailable` for "webgpu" where there is no device; `invalid_option` for what the GPU engine does not do, and for "fast" where nothing of
 *   the model would be
 */
export async function openEngine(
  backend: Backend,
  config: ModelConfig,
  weights: Weights,
  options: OnnxEngineOptions,
): Promise<Engine> {
  const fast = options.precision === "fast";
  const onCpu = () => {
    if (fast && !canBeFast(config, weights)) throw unquantised();
    return onnxEngine(config, weights, options);
  };
  if (backend === "cpu" || (backend === "auto" && wantsCpu(options))) return onCpu();
  refuse(options);
  // Only now, so that who runs on the CPU loads none of it.
  const [{ openGpu }, { webgpuEngine }] = await Promise.all([import("../gpu/index.ts"), import("./webgpu/index.ts")]);
  const gpu = backend === "webgpu" ? await openGpu() : await openGpu().catch(() => null);
  const able = gpu !== null && (!fast || canBeFastOn(gpu.features, config, weights));
  if (gpu !== null && (backend === "webgpu" || (able && !gpu.software))) {
    try {
      if (!able) throw slow();
      return await webgpuEngine(config, weights, gpu, options.precision);
    } catch (fault) {
      gpu[Symbol.dispose](); // the engine's only once there is one
      throw fault;
    }
  }
  gpu?.[Symbol.dispose]();
  return onCpu();
}

/** Whether something is asked for that only the CPU engine does. */
const wantsCpu = ({ mapped, worker }: OnnxEngineOptions): boolean => mapped === true || worker === true;

function refuse({ mapped, worker }: OnnxEngineOptions): void {
  const on = 'on "webgpu"';
  if (mapped) throw invalid(["loadModel", "mapped"], mapped, `false ${on}`);
  if (worker) throw invalid(["loadModel", "worker"], worker, `false ${on}, which does not hold the thread up`);
}

const unquantised = (): KvError =>
  notFast(
    "fp32 for this model",
    'none of its matrices is quantised; on the CPU "fast" reads quantised matrices from GGUF',
  );

const slow = (): KvError =>
  notFast(
    "fp32 for this model on this device",
    "which has no half precision, and products of bytes only for quantised matrices",
  );

const notFast = (allowed: string, hint: string): KvError =>
  new KvError({ code: "invalid_option", path: ["loadModel", "precision"], found: "fast", allowed, hint });
