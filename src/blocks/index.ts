/**
 * Prefill and compression in one, block by block, in memory that does not grow with the prompt.
 *
 * An approximation of `compress(await prefill(model, prompt), method)`: an entry that was evicted early cannot come back, however
 * much later tokens would have looked at it, and tokens attend to what is held when their block runs, so that their own
 * keys, values and scores differ from those of full attention. Where nothing is evicted before the end it is the same.
 */
import { z } from "zod";
import type { KvCache } from "../cache/cache.ts";
import type { PromptEntries } from "../cache/prompt-entries.ts";
import { kept } from "../compress.ts";
import { type Choosable, type Kept, promptCache } from "../context.ts";
import { inFormOf } from "../form.ts";
import type { Model } from "../load.ts";
import type { Method } from "../methods/method.ts";
import { select } from "../methods/select.ts";
import type { ModelConfig } from "../model/config.ts";
import { observations } from "../observations.ts";
import { checked } from "../options.ts";
import { OBSERVED_QUERIES, prefillSchema, tokenCount } from "../prefill.ts";
import { isPieces, type TokenPieces, tokenPieces, tokensOf } from "../prompt.ts";
import { cut } from "./cut.ts";
import { NOTHING_SEEN, observationOf, type Seen, withBlock, withOnly } from "./seen.ts";
import { betweenBlocks, refuseProbes, refuseSlidingWindow } from "./working.ts";

export interface BlockOptions {
  /** Tokens between evictions; default 512. */
  readonly block?: number | undefined;
  /**
   * Entries per KV head of every layer that stay when a block begins; at least the method's budget. A pyramid's lowest layer can keep at
   * the end what is held, so twice the budget leaves it its shape. Infinity evicts nothing on the way.
   */
  readonly working: number;
}

export interface CompressInBlocksOptions extends BlockOptions {
  /** Tokens run at once, at most; the result does not depend on it. Default 256: as fast as 512, with 100 MB less at the peak. */
  readonly chunk?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each chunk with the tokens done; `total` is Infinity for a prompt in pieces. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const DEFAULT_BLOCK = 512;
const DEFAULT_CHUNK = 256;
const workingError = "an integer >= 1 or Infinity";
export const blockShape = {
  block: tokenCount.default(DEFAULT_BLOCK),
  working: z.union([z.int(workingError).min(1, workingError), z.literal(Number.POSITIVE_INFINITY)], workingError),
};
const { chunk, signal, onProgress } = prefillSchema.shape;
const schema = z.object({ ...blockShape, chunk, signal, onProgress });

/**
 * Compresses a prompt while it is prefilled. Before a block begins, the method chooses which `working` entries of every layer and KV
 * head stay, of those still held; after the last one it spends its own budget by its own schedule. So no more than `working + block`
 * entries per head are held at any time, in memory that is allocated once.
 *
 * @param prompt text, token ids, or pieces of token ids, which are cut into blocks anew and never in memory as a whole. Positions
 *   stay true, so a prompt ends at the model's context length all the same
 * @returns a cache as from `compress`, which decodes at the prompt's true length
 * @throws KvError as `prefill` and `compress` do, `budget_too_small` for a working budget below the method's, and `invalid_option` for
 *   one that evicts on a model with a sliding window
 */
export async function compressInBlocks(
  model: Model,
  prompt: string | Int32Array | TokenPieces,
  method: Method,
  options: CompressInBlocksOptions,
): Promise<KvCache> {
  const { block, working, chunk, signal, onProgress } = checked(schema, options, "compressInBlocks");
  refuseProbes(method);
  const chooser = betweenBlocks(method, working);
  const { pieces, total } = incoming(model, prompt);
  if (Number.isFinite(total) && lastBegin(total, block) > working) refuseSlidingWindow(model.config, working);
  const lastQueries = Math.max(OBSERVED_QUERIES, method.needs.queries);
  using cache = model.engine.prompt(roomFor(model.config, { block, working, total }));
  let seen = NOTHING_SEEN;
  let logits: Float32Array = new Float32Array(0);
  for await (const tokens of cut(pieces, block)) {
    if (cache.length > working) seen = await evict(model, cache, seen, chooser);
    const { position } = cache;
    const result = await model.engine.prefill({
      tokens,
      chunk: Math.min(chunk ?? DEFAULT_CHUNK, block),
      cache,
      lastQueries,
      columnSums: method.needs.columnSums,
      moments: method.needs.moments,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress: (done: number) => onProgress(position + done, total) }),
    });
    seen = withBlock(model.config, seen, result, tokens.length, lastQueries);
    logits = result.logits;
  }
  const held = choosable(model, cache, seen);
  const left = await kept(held, method, cache.position);
  return inFormOf(method, held, promptCache(model, owned(left), logits));
}

interface Sizes {
  readonly block: number;
  readonly working: number;
  readonly total: number;
}

/** A prompt of known length is checked as a whole before anything runs, one in pieces as they come. */
function incoming(model: Model, prompt: string | Int32Array | TokenPieces) {
  if (isPieces(prompt)) return { pieces: tokenPieces(model, prompt), total: Number.POSITIVE_INFINITY };
  const tokens = tokensOf(model, prompt);
  return { pieces: [tokens], total: tokens.length };
}

/** Tokens before the last block of a prompt: if they fit, nothing is evicted on the way. */
const lastBegin = (length: number, block: number): number => Math.floor((length - 1) / block) * block;

/** All that will be held, where that is known; else it grows. */
function roomFor({ contextLength }: ModelConfig, { block, working, total }: Sizes): number {
  const most = Math.min(working + block, total);
  return Number.isFinite(most) ? Math.min(most, contextLength) : block;
}

const choosable = (model: Model, cache: PromptEntries, seen: Seen): Choosable => ({
  model,
  length: cache.length,
  entries: cache,
  observation: observationOf(model.config, seen),
  tokens: null,
});

async function evict(model: Model, cache: PromptEntries, seen: Seen, chooser: Method): Promise<Seen> {
  refuseSlidingWindow(model.config, chooser.budget);
  const selection = await select(chooser, observations(choosable(model, cache, seen)));
  cache.retain(selection);
  return withOnly(model.config, seen, selection, chooser.keep.last);
}

/** In memory of its own size: what was kept whole may lie in memory with room for more. */
function owned(kept: Kept): Kept {
  if (kept.device) return kept;
  const layers = kept.layers.map((entries) => {
    const { keys, values } = entries;
    if (keys.byteLength === keys.buffer.byteLength) return entries;
    return { ...entries, keys: keys.slice(), values: values.slice() };
  });
  return { ...kept, layers };
}
