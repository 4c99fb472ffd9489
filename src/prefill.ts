/** The first stage: a prompt through the network once, its full cache, and what compression methods will want to know of it. */
import { z } from "zod";
import { KvCache } from "./cache/cache.ts";
import type { LayerEntries } from "./cache/layer.ts";
import type { ChunkView, Engine } from "./engine/index.ts";
import { KvError } from "./error.ts";
import type { Model } from "./load.ts";
import type { Method } from "./methods/method.ts";
import { callbackOption, checked, signalOption } from "./options.ts";
import { tokensOf } from "./prompt.ts";
import type { Tensor } from "./tensor.ts";

/** Queries that are always observed: enough for every published window. */
export const OBSERVED_QUERIES = 64;
/** Tokens run at once, unless told otherwise. */
export const DEFAULT_CHUNK = 512;

export interface PrefillOptions {
  /** Methods that will compress this prompt: what they need to see is collected on the way. The last 64 queries always are. */
  readonly observe?: readonly Method[] | undefined;
  /** Tokens run at once; the result does not depend on it. Default 512. */
  readonly chunk?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each chunk with the tokens done. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What was seen of a prompt's attention, one tensor per layer. */
export interface Observation {
  /** Each layer's last queries after RoPE: [H, count, d]. */
  readonly queries: readonly Tensor[];
  /** Attention that each position received from all queries, [H, n]; null unless an observed method asked for it. */
  readonly columnSums: readonly Tensor[] | null;
}

/** A prompt after prefill. Any number of methods can compress it; it never changes. */
export interface Context extends Disposable {
  readonly model: Model;
  /** Tokens of the prompt. */
  readonly length: number;
  readonly tokens: Int32Array;
  /** Logits after the last token: [vocab]. */
  readonly logits: Float32Array;
  /** The full cache, ready to decode on. It is one cache: fork it to use it twice. */
  readonly cache: KvCache;
  /** The full cache's entries, which decoding on `cache` does not touch. */
  readonly layers: readonly LayerEntries[];
  readonly observation: Observation;
}

const isMethod = (value: unknown) => typeof value === "object" && value !== null && "needs" in value;

export const prefillSchema = z.object({
  observe: z
    .array(z.custom<Method>(isMethod, "a method such as snapKV({ budget: 128 })"), "a list of methods")
    .default([]),
  chunk: z
    .int("an integer >= 1")
    .min(1, "an integer >= 1")
    .max(2 ** 20, "an integer <= 1048576")
    .default(DEFAULT_CHUNK),
  signal: signalOption,
  onProgress: callbackOption<(done: number, total: number) => void>(),
});

/**
 * Runs a prompt through the network and keeps every key and value.
 *
 * @param prompt text, which the model's tokenizer encodes, or token ids
 * @throws KvError `empty_prompt`, `prompt_too_long`, `invalid_token`, `tokenizer_missing`, `invalid_option`, `aborted`
 */
export async function prefill(
  model: Model,
  prompt: string | Int32Array,
  options: PrefillOptions = {},
): Promise<Context> {
  const { observe, chunk, signal, onProgress } = checked(prefillSchema, options, "prefill");
  const tokens = tokensOf(model, prompt);
  const sums = observe.some((method) => method.needs.columnSums) ? columnSums(model.engine, tokens.length) : null;
  const { layers, logits, queries } = await model.engine.prefill({
    tokens,
    chunk,
    lastQueries: Math.max(OBSERVED_QUERIES, ...observe.map((method) => method.needs.queries)),
    ...(sums === null ? {} : { visit: sums.visit }),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const { queryHeads, headDim } = model.config;
  const observation: Observation = {
    queries: queries.map((data) => ({ data, dims: [queryHeads, data.length / (queryHeads * headDim), headDim] })),
    columnSums: sums === null ? null : sums.finish(),
  };
  return contextOf(model, tokens, layers, logits, observation);
}

function contextOf(
  model: Model,
  tokens: Int32Array,
  layers: readonly LayerEntries[],
  logits: Float32Array,
  observation: Observation,
): Context {
  const cache = promptCache(model, layers, tokens.length, logits);
  let live: { layers: readonly LayerEntries[]; observation: Observation } | null = { layers, observation };
  const contents = () => {
    if (live !== null) return live;
    throw new KvError({
      code: "disposed",
      path: ["context"],
      found: "disposed",
      allowed: "a context in use",
      hint: "prefill the prompt again",
    });
  };
  return {
    model,
    length: tokens.length,
    tokens,
    logits,
    cache,
    get layers() {
      return contents().layers;
    },
    get observation() {
      return contents().observation;
    },
    [Symbol.dispose]() {
      live = null;
      cache[Symbol.dispose]();
    },
  };
}

/** A cache that holds these entries of the prompt and no more. */
export function promptCache(
  model: Model,
  layers: readonly LayerEntries[],
  length: number,
  logits: Float32Array,
): KvCache {
  const { config } = model;
  const geometry = { layers: config.layers, kvHeads: config.kvHeads, headDim: config.headDim };
  return new KvCache({ model: model.id, geometry, layers, length, logits });
}

/** Adds up, chunk by chunk, the attention that every position receives; fp64, since thousands of terms meet in one sum. */
function columnSums({ kernels, config }: Engine, length: number) {
  const { layers, queryHeads, kvHeads, headDim, slidingWindow } = config;
  const totals = Array.from({ length: layers }, () => new Float64Array(queryHeads * length));
  const visit = async ({ start, end, queries, keys }: ChunkView): Promise<void> => {
    for (const [layer, total] of totals.entries()) {
      const sums = await kernels.columnSums(
        { data: queries(layer), dims: [queryHeads, end - start, headDim] },
        { data: keys(layer), dims: [kvHeads, end, headDim] },
        { slidingWindow: slidingWindow[layer] ?? null },
      );
      for (let head = 0; head < queryHeads; head++) {
        for (let j = 0; j < end; j++)
          total[head * length + j] = (total[head * length + j] ?? 0) + (sums.data[head * end + j] ?? 0);
      }
    }
  };
  return {
    visit,
    finish: (): Tensor[] => totals.map((total) => ({ data: Float32Array.from(total), dims: [queryHeads, length] })),
  };
}
