/**
 * The GPU engine: the decoder and every kernel in WGSL, on whatever WebGPU the runtime has.
 *
 * Matrices stay as their files store them; activations, keys and values are fp32. Entries live on the device from prefill on: methods choose
 * among them there, and caches hold pages of them.
 */
import { flashAttention } from "../../../kernels/flash-attention/webgpu.ts";
import { gpuArrays } from "../../../kernels/gpu/arrays.ts";
import { moveRows, moveWithin } from "../../../kernels/move-rows/webgpu.ts";
import { pagedAttention } from "../../../kernels/paged-attention/webgpu.ts";
import { pagedScores } from "../../../kernels/paged-scores/webgpu.ts";
import { sample } from "../../../kernels/sample/webgpu.ts";
import { webgpuKernels } from "../../../kernels/webgpu.ts";
import { KvError } from "../../error.ts";
import type { Gpu } from "../../gpu/index.ts";
import type { ModelConfig } from "../../model/config.ts";
import { rotate } from "../../model/rope.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { Engine, ExtendRequest, LayeredPrefillRequest, PrefillRequest, Step } from "../index.ts";
import { extend } from "./extend.ts";
import { Network } from "./network.ts";
import { PageStore } from "./page-store.ts";
import { prefill } from "./prefill.ts";
import { prefillByLayer } from "./prefill-by-layer.ts";
import { PromptOnDevice } from "./prompt-entries.ts";
import { RotaryBlocks } from "./rotary.ts";
import type { GpuRun } from "./run.ts";
import { Scratch } from "./scratch.ts";
import { draw, step } from "./step.ts";

/** Brings the weights to the device, and keeps `weights` to read more of them. Disposing frees all that is on the device, and closes both. */
export async function webgpuEngine(config: ModelConfig, weights: Weights, gpu: Gpu): Promise<Engine> {
  refuseOddHeads(config);
  const arrays = gpuArrays(gpu);
  const kernels = webgpuKernels(gpu);
  const rotary = new RotaryBlocks(arrays, config);
  const paged = pagedAttention(arrays, config);
  const move = moveRows(arrays, config.headDim);
  const run: GpuRun = {
    config,
    arrays,
    kernels,
    rotary,
    network: new Network(arrays, config, weights, rotary),
    store: new PageStore(arrays, config, move, moveWithin(arrays, config.headDim)),
    scratch: new Scratch(arrays),
    flash: flashAttention(arrays, config.headDim),
    paged,
    scores: pagedScores(arrays, config.kvHeads, config.headDim),
    move,
    sample: sample(arrays),
  };
  await settled(run);
  let disposed = false;
  // One run at a time: all work in the same arrays.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn =
    <Args extends unknown[], T>(work: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      if (disposed)
        throw new KvError({ code: "disposed", path: ["engine"], found: "disposed", allowed: "an engine in use" });
      const own = last.then(() => work(...args));
      last = own.catch(() => undefined);
      return own;
    };
  return {
    name: "webgpu",
    version: gpu.name,
    precision: "fp32",
    config,
    kernels,
    outputProjection(layer) {
      const name = `model.layers.${layer}.self_attn.o_proj.weight`;
      return { data: weights.read(name), dims: weights.info(name).shape };
    },
    turn: (layer, keys, by) => rotate(keys, rotary.tables.frequencies[layer] ?? new Float64Array(0), by),
    prompt: (room) => new PromptOnDevice(run.store, room),
    prefill: inTurn((request: PrefillRequest) => prefill(run, request)),
    prefillByLayer: inTurn((request: LayeredPrefillRequest) => prefillByLayer(run, request)),
    step: inTurn((batch: readonly Step[]) => step(run, batch)),
    draw: inTurn((...drawn: Parameters<NonNullable<Engine["draw"]>>) => draw(run, ...drawn)),
    extend: inTurn((request: ExtendRequest) => extend(run, request)),
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      for (const part of [run.network, run.store, run.scratch, paged, rotary, kernels, weights, gpu])
        part[Symbol.dispose]();
    },
  };
}

/** Waits for the uploads, so that what a device refuses of them is said here. */
async function settled({ arrays }: GpuRun): Promise<void> {
  using probe = arrays.empty("probe", 4);
  await arrays.gpu.read(probe.block);
}

function refuseOddHeads({ headDim }: ModelConfig): void {
  if (headDim % 4 === 0) return;
  const allowed = "a multiple of 4, on the GPU engine";
  throw new KvError({ code: "unsupported_architecture", path: ["config", "headDim"], found: headDim, allowed });
}
