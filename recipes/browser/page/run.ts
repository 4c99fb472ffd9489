/** One run of the pipeline, as snapshots of all there is to show: after prefill, after compression, and after every generated token. */
import {
  compress,
  type DecodingPolicy,
  type Funnel,
  funnel,
  type KvCache,
  type Method,
  type Model,
  prefill,
  step,
} from "../../../src/browser.ts";
import { argmax } from "../../../src/tensor.ts";

export interface RunRequest {
  readonly prompt: string | Int32Array;
  readonly method: Method;
  /** What goes while tokens are generated, if anything. */
  readonly evict: DecodingPolicy | undefined;
  readonly maxNewTokens: number;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** What a cache holds. */
export interface Held {
  /** Places in the text, [layer][kvHead]; from the prompt's length on, of generated tokens. */
  readonly places: readonly (readonly Int32Array[])[];
  readonly bytes: number;
}

export interface Snapshot {
  /** Of the prompt. */
  readonly tokens: Int32Array;
  /** The text of each token, or its id where the model has no tokenizer. */
  readonly pieces: readonly string[];
  readonly funnel: Funnel;
  readonly kvHeads: number;
  readonly fullBytes: number;
  readonly prefillSeconds: number;
  /** Tokens that there is room for in pictures: the prompt's and those to come. */
  readonly room: number;
  /** Of the compressed cache before the first generated token; null until then. */
  readonly compressedBytes: number | null;
  /** What it holds now. */
  readonly held: Held | null;
  readonly generated: readonly number[];
  readonly text: string;
  /** Of the tokens after the first, which waits for programs to be compiled; null before the second. */
  readonly tokensPerSecond: number | null;
}

/** Last tokens of the prompt whose attention is drawn. */
const WINDOW = 8;
/** Small enough that progress is seen. */
const CHUNK = 128;

/** Decodes greedily, step by step on one cache, so that every snapshot shows what it holds. @throws KvError as the stages do */
export async function* run(model: Model, request: RunRequest): AsyncGenerator<Snapshot> {
  const { prompt, method, evict, maxNewTokens, signal, onProgress } = request;
  const started = performance.now();
  using context = await prefill(model, prompt, {
    observe: evict === undefined ? [method] : [method, evict],
    chunk: CHUNK,
    signal,
    onProgress,
  });
  const { tokens } = context;
  let shown: Snapshot = {
    tokens,
    pieces: Array.from(tokens, (token) => model.tokenizer?.decode([token]) ?? `${token} `),
    funnel: await funnel(context, { window: Math.min(WINDOW, tokens.length) }),
    kvHeads: model.config.kvHeads,
    fullBytes: context.cache.bytes,
    prefillSeconds: (performance.now() - started) / 1000,
    room: tokens.length + maxNewTokens,
    compressedBytes: null,
    held: null,
    generated: [],
    text: "",
    tokensPerSecond: null,
  };
  yield shown;
  using cache = await compress(context, method);
  shown = { ...shown, compressedBytes: cache.bytes, held: heldBy(cache) };
  yield shown;
  const { eosTokens, contextLength } = model.config;
  let { logits } = cache;
  let first = 0;
  while (shown.generated.length < maxNewTokens && cache.length < contextLength && !signal.aborted) {
    const token = argmax(logits);
    if (eosTokens.includes(token)) return;
    logits = await step(model, cache, token, { evict });
    const now = performance.now();
    if (first === 0) first = now;
    const generated = [...shown.generated, token];
    const since = generated.length - 1;
    shown = {
      ...shown,
      held: heldBy(cache),
      generated,
      text: model.tokenizer?.decode(generated, { skipSpecialTokens: true }) ?? generated.join(" "),
      tokensPerSecond: since === 0 ? null : (1000 * since) / (now - first),
    };
    yield shown;
  }
}

function heldBy(cache: KvCache): Held {
  const { layers, kvHeads } = cache.geometry;
  const heads = (layer: number) => Array.from({ length: kvHeads }, (_, head) => cache.origins(layer, head));
  return { places: Array.from({ length: layers }, (_, layer) => heads(layer)), bytes: cache.bytes };
}

/** Of each place, how many of a layer's heads hold it: [places]. */
export function holders(heads: readonly Int32Array[], places: number): Uint16Array {
  const counts = new Uint16Array(places);
  for (const held of heads) for (const place of held) counts[place] = (counts[place] ?? 0) + 1;
  return counts;
}

/** Entries of the prompt that a layer holds, on average over its heads. */
export const keptOfPrompt = (heads: readonly Int32Array[], length: number): number =>
  heads.reduce((sum, places) => sum + places.filter((place) => place < length).length, 0) / heads.length;
