/**
 * The GPU engine: the decoder and every kernel in WGSL, on whatever WebGPU the runtime has.
 *
 * Matrices stay as their files store them; activations, keys and values are fp32, but for what products of "fast" precision round of them. Entries live on the device from prefill on: methods choose
 * among them there, and caches hold pages of them.
 */
import { compactAttention, compactScores } from "../../../kernels/compact-attention/webgpu.ts";
import { flashAttention } from "../../../kernels/flash-attention/webgpu.ts";
import { gpuArrays } from "../../../kernels/gpu/arrays.ts";
import { moveRows } from "../../../kernels/move-rows/webgpu.ts";
import { pagedAttention } from "../../../kernels/paged-attention/webgpu.ts";
import { pagedScores } from "../../../kernels/paged-scores/webgpu.ts";
import { sample } from "../../../kernels/sample/webgpu.ts";
import { webgpuKernels } from "../../../kernels/webgpu.ts";
import { KvError } from "../../error.ts";
import type { Gpu } from "../../gpu/index.ts";
import type { ModelConfig } from "../../model/config.ts";
import { rotate } from "../../model/rope.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { Engine, ExtendRequest, LayeredPrefillRequest, Precision, PrefillRequest, Step } from "../index.ts";
import type { BringOptions } from "./bring.ts";
import { extend } from "./extend.ts";
import { Network } from "./network.ts";
import { ofRun } from "./out-of-memory.ts";
import { PageStore } from "./page-store.ts";
import { prefill } from "./prefill.ts";
import { prefillByLayer } from "./prefill-by-layer.ts";
import { PromptOnDevice } from "./prompt-entries.ts";
import { RotaryBlocks } from "./rotary.ts";
import type { GpuRun } from "./run.ts";
import { Scratch } from "./scratch.ts";
import { draw, step } from "./step.ts";
import { uploadWeights } from "./weights.ts";

/**
 * Brings the weights to the device, and keeps `weights` to read more of them. Disposing frees all that is on the device, and closes both.
 *
 * @throws KvError `out_of_memory`, `unsupported_architecture`, `aborted`: nothing is left on the device then, and both stay open
 */
export async function webgpuEngine(
  config: ModelConfig,
  weights: Weights,
  gpu: Gpu,
  options: BringOptions & { readonly precision?: Precision | undefined } = {},
): Promise<Engine> {
  const { precision = "fp32" } = options;
  refuseOddHeads(config);
  const arrays = gpuArrays(gpu);
  using parts = new DisposableStack();
  const brought = parts.use(await uploadWeights(arrays, config, weights, options));
  const kernels = parts.use(webgpuKernels(gpu));
  const rotary = parts.use(new RotaryBlocks(arrays, config));
  const move = moveRows(arrays, config.headDim);
  const run: GpuRun = {
    config,
    arrays,
    kernels,
    rotary,
    network: parts.use(new Network(arrays, config, brought, rotary, precision === "fast")),
    store: parts.use(new PageStore(arrays, config)),
    scratch: parts.use(new Scratch(arrays)),
    flash: flashAttention(arrays, config.headDim),
    paged: parts.use(pagedAttention(arrays, config)),
    scores: pagedScores(arrays, config.kvHeads, config.headDim),
    compact: compactAttention(arrays, config),
    compactScores: compactScores(arrays, config.kvHeads, config.headDim),
    move,
    sample: sample(arrays),
  };
  await gpu.settled();
  const owned = parts.move();
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
      try {
        return await own;
      } catch (fault) {
        throw ofRun(fault, brought.bytes, gpu.used);
      }
    };
  return {
    name: "webgpu",
    version: gpu.name,
    precision,
    config,
    kernels,
    outputProjection(layer) {
      const name = `model.layers.${layer}.self_attn.o_proj.weight`;
      return { data: weights.read(name), dims: weights.info(name).shape };
    },
    turn: (layer, keys, by) => rotate(keys, rotary.tables.frequencies[layer] ?? new Float64Array(0), by),
    // Where activations are small beside the cache anyway, more: few rows leave most of a large device idle.
    chunkFor: (length) => (length <= 4096 ? 512 : 1024),
    prompt: (room) => new PromptOnDevice(run.store, room),
    prefill: inTurn((request: PrefillRequest) => prefill(run, request)),
    prefillByLayer: inTurn((request: LayeredPrefillRequest) => prefillByLayer(run, request)),
    step: inTurn((batch: readonly Step[]) => step(run, batch)),
    draw: inTurn((...drawn: Parameters<NonNullable<Engine["draw"]>>) => draw(run, ...drawn)),
    extend: inTurn((request: ExtendRequest) => extend(run, request)),
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      for (const part of [owned, weights, gpu]) part[Symbol.dispose]();
    },
  };
}

function refuseOddHeads({ headDim }: ModelConfig): void {
  if (headDim % 4 === 0) return;
  const allowed = "a multiple of 4, on the GPU engine";
  throw new KvError({ code: "unsupported_architecture", path: ["config", "headDim"], found: headDim, allowed });
}
