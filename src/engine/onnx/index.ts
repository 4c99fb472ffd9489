/**
 * The CPU engine: onnxruntime on a decoder graph of our own, fp32.
 *
 * Prefill runs chunks through flash attention over a uniform cache, full or with gaps; a step runs one token of each sequence
 * over whatever a method kept of it. Flash attention writes new keys and values where they belong: an output that is given its memory is not
 * copied. The other attentions give back the new ones only.
 */
import ort from "onnxruntime-node/package.json" with { type: "json" };
import { onnxKernels } from "../../../kernels/onnx.ts";
import { KvError } from "../../error.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { OnnxModel } from "../../onnx/graph.ts";
import { openSession, openSessionFile, type Session } from "../../onnx/session.ts";
import type { Engine, PrefillRequest, Step } from "../index.ts";
import { buildDecoder, entryOutputs } from "./decoder.ts";
import { idleFeeds } from "./feeds.ts";
import { cachedGraph, type GraphCache } from "./graph-cache/index.ts";
import { prefill } from "./prefill.ts";
import { inverseFrequencies, RotaryTable } from "./rope.ts";
import { batchStepper } from "./step.ts";

export interface OnnxEngineOptions {
  /** Threads inside one operator; default: one per core. */
  readonly threads?: number;
  /** Where graphs are kept between loads; null (the default) keeps none. */
  readonly graphCache?: GraphCache | null;
  /** Leaves cached weights in their files, mapped, instead of packing them into memory. Default false. */
  readonly mapped?: boolean;
}

/** Builds the graph, opens a session with the weights, and keeps `weights` for looking up embeddings. Disposing closes both. */
export async function onnxEngine(
  config: ModelConfig,
  weights: Weights,
  options: OnnxEngineOptions = {},
): Promise<Engine> {
  const session = await open(buildDecoder(config, weights), weights, options);
  const kernels = onnxKernels(options);
  const table = new RotaryTable(inverseFrequencies(config));
  const run = { config, weights, session, table, idle: idleFeeds(config), entries: entryOutputs(config) };
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
    precision: "fp32",
    config,
    kernels,
    prefill: guard((request: PrefillRequest) => prefill(run, request)),
    step: guard((batch: readonly Step[]) => stepper(batch)),
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      kernels[Symbol.dispose]();
      weights[Symbol.dispose]();
      void session[Symbol.asyncDispose]();
    },
  };
}

async function open(
  model: OnnxModel,
  weights: Weights,
  { threads, graphCache = null, mapped = false }: OnnxEngineOptions,
): Promise<Session> {
  const threading = threads === undefined ? {} : { threads };
  const path = graphCache === null ? null : await cachedGraph(model, weights, graphCache);
  if (path !== null) {
    try {
      return await openSessionFile(path, { ...threading, packed: !mapped });
    } catch (fault) {
      // The folder may have been removed since it was checked, or its file system cannot map files.
      if (!(fault instanceof KvError && fault.code === "engine_failed")) throw fault;
    }
  }
  return await openSession(model, threading);
}
