/**
 * Prefill and compression in one, block by block, in memory that does not grow with the prompt.
 *
 * An approximation of `compress(await prefill(model, prompt), method)`: an entry that was evicted early cannot come back, however
 * much later tokens would have looked at it, and tokens attend to what is held when their block runs, so that their own
 * keys, values and scores differ from those of full attention. Where nothing is evicted before the end it is the same.
 */
import { z } from "zod";
import type { KvCache } from "../cache/cache.ts";
import { entriesOf, observations } from "../compress.ts";
import { promptCache } from "../context.ts";
import type { Model } from "../load.ts";
import type { Method } from "../methods/method.ts";
import { select } from "../methods/select.ts";
import { checked } from "../options.ts";
import { OBSERVED_QUERIES, prefillSchema } from "../prefill.ts";
import { isPieces, type TokenPieces, tokenPieces, tokensOf } from "../prompt.ts";
import { cut } from "./cut.ts";
import { type Held, nothingHeld, withBlock, withOnly } from "./held.ts";
import { betweenBlocks, refuseSlidingWindow } from "./working.ts";

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
  /** Tokens run at once, at most; the result does not depend on it. Default 512. */
  readonly chunk?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each chunk with the tokens done; `total` is Infinity for a prompt in pieces. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const workingError = "an integer >= 1 or Infinity";
export const blockShape = {
  block: prefillSchema.shape.chunk,
  working: z.union([z.int(workingError).min(1, workingError), z.literal(Number.POSITIVE_INFINITY)], workingError),
};
const { chunk, signal, onProgress } = prefillSchema.shape;
const schema = z.object({ ...blockShape, chunk, signal, onProgress });

/**
 * Compresses a prompt while it is prefilled. Before a block begins, the method chooses which `working` entries of every layer and KV
 * head stay, of those still held; after the last one it spends its own budget by its own schedule. So no more than `working + block`
 * entries per head are held at any time (and a copy of those that stay, while a block begins).
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
  const chooser = betweenBlocks(method, working);
  const { pieces, total } = incoming(model, prompt);
  if (Number.isFinite(total) && lastBegin(total, block) > working) refuseSlidingWindow(model.config, working);
  const lastQueries = Math.max(OBSERVED_QUERIES, method.needs.queries);
  let held = nothingHeld(model);
  for await (const tokens of cut(pieces, block)) {
    if (held.length > working) held = await evict(held, chooser);
    const { layers, position } = held;
    const result = await model.engine.prefill({
      tokens,
      chunk: Math.min(chunk, block),
      past: { layers, position },
      lastQueries,
      columnSums: method.needs.columnSums,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress: (done: number) => onProgress(position + done, total) }),
    });
    held = withBlock(held, result, tokens.length, lastQueries);
  }
  const layers = await entriesOf(held, await select(method, observations(held)));
  return promptCache(model, layers, held.position, held.logits);
}

/** A prompt of known length is checked as a whole before anything runs, one in pieces as they come. */
function incoming(model: Model, prompt: string | Int32Array | TokenPieces) {
  if (isPieces(prompt)) return { pieces: tokenPieces(model, prompt), total: Number.POSITIVE_INFINITY };
  const tokens = tokensOf(model, prompt);
  return { pieces: [tokens], total: tokens.length };
}

/** Tokens before the last block of a prompt: if they fit, nothing is evicted on the way. */
const lastBegin = (length: number, block: number): number => Math.floor((length - 1) / block) * block;

async function evict(held: Held, chooser: Method): Promise<Held> {
  refuseSlidingWindow(held.model.config, chooser.budget);
  return withOnly(held, await select(chooser, observations(held)), chooser.keep.last);
}
