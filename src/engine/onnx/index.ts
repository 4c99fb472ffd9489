/**
 * The CPU engine: onnxruntime on a decoder graph of our own, fp32.
 *
 * Prefill runs chunks through flash attention over a full cache; a step runs one token of each sequence over whatever a
 * method kept of it. Only the new keys and values come back from a run, because onnxruntime-node copies every output it gives.
 */
import ort from "onnxruntime-node/package.json" with { type: "json" };
import { onnxKernels } from "../../../kernels/onnx.ts";
import { throwIfAborted } from "../../abort.ts";
import { PromptCache } from "../../cache/prompt.ts";
import { KvError } from "../../error.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { OnnxModel } from "../../onnx/graph.ts";
import { type Session, type SessionHost, thisThread } from "../../onnx/session.ts";
import { openWorker } from "../../onnx/worker/index.ts";
import type { Engine, PrefillRequest, PrefillResult, Step } from "../index.ts";
import { buildDecoder } from "./decoder.ts";
import { chunkFeeds } from "./feeds.ts";
import { cachedGraph, type GraphCache } from "./graph-cache/index.ts";
import { RecentQueries } from "./recent-queries.ts";
import { inverseFrequencies } from "./rope.ts";
import { batchStepper, EMBEDDINGS, type Run } from "./step.ts";

export interface OnnxEngineOptions {
  /** Threads inside one operator; default: one per core. */
  readonly threads?: number;
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
  const session = await open(host, buildDecoder(config, weights), weights, options);
  const kernels = onnxKernels({ ...(options.threads === undefined ? {} : { threads: options.threads }), host });
  const run = { config, weights, session, frequencies: inverseFrequencies(config) };
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
      host[Symbol.dispose]();
    },
  };
}

async function open(
  host: SessionHost,
  model: OnnxModel,
  weights: Weights,
  { threads, graphCache = null, mapped = false }: OnnxEngineOptions,
): Promise<Session> {
  const threading = threads === undefined ? {} : { threads };
  const path = graphCache === null ? null : await cachedGraph(model, weights, graphCache);
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

async function prefill(
  { config, weights, session, frequencies }: Run,
  request: PrefillRequest,
): Promise<PrefillResult> {
  const { tokens, chunk, lastQueries, visit, allLogits = false, signal, onProgress } = request;
  const n = tokens.length;
  const cache = new PromptCache(config, n);
  const logits = new Float32Array((allLogits ? n : 1) * config.vocabSize);
  const recent = new RecentQueries(config, Math.min(lastQueries, n), n);
  for (let from = 0; from < n; from += chunk) {
    throwIfAborted(signal, ["signal"]);
    const count = Math.min(chunk, n - from);
    const end = from + count;
    const rows = {
      embeddings: weights.readRows(EMBEDDINGS, tokens.subarray(from, end)),
      positions: Int32Array.from({ length: count }, (_, i) => from + i),
      logitsFrom: allLogits ? 0 : end === n ? count - 1 : null,
      queriesFrom: visit === undefined ? recent.firstRow(from, count) : 0,
    };
    const out = await session.run(chunkFeeds(config, frequencies, rows, cache), ["logits", "entries", "queries"]);
    logits.set(out.logits.data as Float32Array, allLogits ? from * config.vocabSize : 0);
    cache.append(out.entries.data as Float32Array, count);
    const queries = out.queries.data as Float32Array;
    recent.take(queries, end);
    await visit?.({
      start: from,
      end,
      queries: (layer) => slice(queries, layer, config.layers),
      keys: (layer) => cache.keys(layer),
    });
    onProgress?.(end, n);
  }
  return { layers: cache.finish(), logits, queries: recent.layers };
}

const slice = (data: Float32Array, index: number, parts: number) =>
  data.subarray((index * data.length) / parts, ((index + 1) * data.length) / parts);
