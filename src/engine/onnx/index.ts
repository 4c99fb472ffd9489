/**
 * The CPU engine: onnxruntime on a decoder graph of our own.
 *
 * Prefill runs chunks through flash attention over a full cache; a step runs one token of each sequence over whatever a
 * method kept of it. Only the new keys and values come back from a run, because onnxruntime-node copies every output, also one
 * that it was given the memory for.
 */
import ort from "onnxruntime-node/package.json" with { type: "json" };
import { onnxKernels } from "../../../kernels/onnx.ts";
import { PromptCache } from "../../cache/prompt.ts";
import { KvError } from "../../error.ts";
import type { ModelConfig } from "../../model/config.ts";
import { rotate } from "../../model/rope.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { OnnxModel } from "../../onnx/graph.ts";
import { type Session, type SessionHost, thisThread } from "../../onnx/session.ts";
import { openWorker } from "../../onnx/worker/index.ts";
import type { Engine, ExtendRequest, Precision, PrefillRequest, Step } from "../index.ts";
import { RotaryTables } from "../rotary-tables.ts";
import { buildDecoder } from "./decoder.ts";
import { extend } from "./extend.ts";
import { idleFeeds } from "./feeds.ts";
import { cachedGraph, type GraphCache } from "./graph-cache/index.ts";
import { prefill } from "./prefill.ts";
import { batchStepper } from "./step.ts";

export interface OnnxEngineOptions {
  /** Threads inside one operator; default: one per core. */
  readonly threads?: number;
  /** Default "fp32". */
  readonly precision?: Precision;
  /** Where graphs are kept between loads; null (the default) keeps none. */
  readonly graphCache?: GraphCache | null;
  /** Leaves cached weights in their files, mapped, instead of packing them into memory. Default false. */
  readonly mapped?: boolean;
  /** Runs the network and the kernels on a thread of their own. Default false. */
  readonly worker?: boolean;
}

/** Builds the graph, opens a session with the weights, and keeps `weights` for looking up embeddings. Disposing closes both. */
export async function onnxEngine(
  config: ModelConfig,
  weights: Weights,
  options: OnnxEngineOptions = {},
): Promise<Engine> {
  const host = options.worker === true ? openWorker() : thisThread;
  try {
    return await onHost(host, config, weights, options);
  } catch (fault) {
    host[Symbol.dispose]();
    throw fault;
  }
}

async function onHost(
  host: SessionHost,
  config: ModelConfig,
  weights: Weights,
  options: OnnxEngineOptions,
): Promise<Engine> {
  const { precision = "fp32" } = options;
  const session = await open(host, buildDecoder(config, weights, precision), weights, options);
  const kernels = onnxKernels({ ...(options.threads === undefined ? {} : { threads: options.threads }), host });
  const run = { config, weights, session, kernels, tables: new RotaryTables(config), idle: idleFeeds(config) };
  const stepper = batchStepper(run);
  let disposed = false;
  const guard =
    <Args extends unknown[], T>(work: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      if (!disposed) return work(...args);
      throw new KvError({ code: "disposed", path: ["engine"], found: "disposed", allowed: "an engine in use" });
    };
  return {
    name: "onnxruntime-node/cpu",
    version: ort.version,
    precision,
    config,
    kernels,
    outputProjection(layer) {
      const name = `model.layers.${layer}.self_attn.o_proj.weight`;
      return { data: weights.read(name), dims: weights.info(name).shape };
    },
    turn: (layer, keys, by) => rotate(keys, run.tables.frequencies[layer] ?? new Float64Array(0), by),
    // For long prompts fewer: as fast there, with 100 MB less at the peak (2026-11).
    chunkFor: (length) => (length <= 4096 ? 512 : 256),
    prompt: (room) => new PromptCache(config, room),
    prefill: guard((request: PrefillRequest) => prefill(run, request)),
    prefillByLayer: null,
    draw: null,
    step: guard((batch: readonly Step[]) => stepper(batch)),
    extend: guard((request: ExtendRequest) => extend(run, request)),
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      kernels[Symbol.dispose]();
      weights[Symbol.dispose]();
      void session[Symbol.asyncDispose]();
      host[Symbol.dispose]();
    },
  };
}

async function open(
  host: SessionHost,
  model: OnnxModel,
  weights: Weights,
  { threads, precision = "fp32", graphCache = null, mapped = false }: OnnxEngineOptions,
): Promise<Session> {
  const threading = threads === undefined ? {} : { threads };
  const path = graphCache === null ? null : await cachedGraph(model, weights, precision, graphCache);
  if (path !== null) {
    try {
      return await host.openFile(path, { ...threading, packed: !mapped });
    } catch (fault) {
      // The folder may have been removed since it was checked, or its file system cannot map files.
      if (!(fault instanceof KvError && fault.code === "engine_failed")) throw fault;
    }
  }
  return await host.open(model, threading);
}
