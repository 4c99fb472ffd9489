/** Which engine runs a model. */
import { KvError, type KvErrorCode } from "../error.ts";
import type { Gpu } from "../gpu/index.ts";
import { unavailable } from "../gpu/provider.ts";
import type { ModelConfig } from "../model/config.ts";
import type { Weights } from "../model/weights/weights.ts";
import { invalid } from "../options.ts";
import { mayHaveGpu } from "./graphics-card.ts";
import type { Engine, Precision } from "./index.ts";
import { type OnnxEngineOptions, onnxEngine } from "./onnx/index.ts";
import { canBeFast } from "./onnx/linear.ts";
import { canBeFastOn } from "./webgpu/fast.ts";

/** "cpu", "webgpu", or "auto": a GPU where the runtime has a real one that takes the model, else the CPU. */
export type Backend = "cpu" | "webgpu" | "auto";

export interface GpuEngineOptions {
  /** Told how many bytes of the weights, of how many, have come to which device. */
  readonly onProgress?: ((done: number, total: number, device: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: the fastest device there is. */
  readonly open?: (() => Promise<Gpu>) | undefined;
}

export interface OpenedEngine {
  readonly engine: Engine;
  /** Why "auto" became the CPU; null where it did not. */
  readonly fallback: KvError | null;
}

/**
 * Opens an engine, which takes the weights over.
 *
 * @param cpu options of the CPU engine
 * @throws KvError for "webgpu" what keeps it from the GPU: `device_unavailable`, `out_of_memory`, `unsupported_architecture`,
 *   `invalid_option` for what the GPU engine does not do; for either `invalid_option` for "fast" where nothing of the model would be
 */
export async function openEngine(
  backend: Backend,
  config: ModelConfig,
  weights: Weights,
  cpu: OnnxEngineOptions,
  gpu: GpuEngineOptions = {},
): Promise<OpenedEngine> {
  const onCpu = () => {
    if (cpu.precision === "fast" && !canBeFast(config, weights)) throw unquantised();
    return onnxEngine(config, weights, cpu);
  };
  if (backend === "cpu") return { engine: await onCpu(), fallback: null };
  try {
    refuse(cpu);
    return {
      engine: await onGpu(config, weights, { ...gpu, precision: cpu.precision }, backend === "auto"),
      fallback: null,
    };
  } catch (fault) {
    if (backend === "webgpu" || !isOfGpu(fault)) throw fault;
    return { engine: await onCpu(), fallback: fault };
  }
}

/** @param real whether a processor that stands in for a GPU is refused */
async function onGpu(
  config: ModelConfig,
  weights: Weights,
  { onProgress, signal, open, precision }: GpuEngineOptions & { readonly precision: Precision | undefined },
  real: boolean,
): Promise<Engine> {
  if (real && open === undefined && !mayHaveGpu()) throw unavailable("no GPU", "a machine with a GPU and its driver");
  // Only now, so that who runs on the CPU loads none of it.
  const [{ openGpu }, { webgpuEngine }] = await Promise.all([import("../gpu/index.ts"), import("./webgpu/index.ts")]);
  using stack = new DisposableStack();
  const gpu = stack.use(await (open ?? openGpu)());
  if (real && gpu.software) throw unavailable(gpu.name, "a GPU: a processor that stands in for one is slow");
  if (precision === "fast" && !canBeFastOn(gpu.features, config, weights)) throw slow();
  const tell = onProgress && ((done: number, total: number) => onProgress(done, total, gpu.name));
  const engine = await webgpuEngine(config, weights, gpu, { onProgress: tell, signal, precision });
  stack.move(); // the engine's from now on
  return engine;
}

/** Whether it says nothing of the model's files, which are as bad on the CPU, or of the caller's mind. */
const isOfGpu = (fault: unknown): fault is KvError => fault instanceof KvError && ofGpu.has(fault.code);

const ofGpu: ReadonlySet<KvErrorCode> = new Set([
  "device_unavailable",
  "device_lost",
  "engine_failed",
  "invalid_option",
  "out_of_memory",
  "unsupported_architecture",
]);

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
