/** The stages composed: prefill -> compress -> generate, as one function from prompt to answer. */
import { z } from "zod";
import { type BlockOptions, blockShape, compressInBlocks } from "./blocks/index.ts";
import type { KvCache } from "./cache/cache.ts";
import { compress } from "./compress.ts";
import { byLayer } from "./compress-by-layer.ts";
import { type Generated, type GenerateOptions, generate } from "./generate/generate.ts";
import { generateSchema } from "./generate/options.ts";
import type { Model } from "./load.ts";
import type { Method } from "./methods/method.ts";
import { checked } from "./options.ts";
import { type PrefillOptions, prefill, prefillSchema } from "./prefill.ts";
import { tokensOf } from "./prompt.ts";

export interface PipelineOptions extends GenerateOptions, Pick<PrefillOptions, "chunk" | "onProgress"> {
  /** Compresses while it prefills, in memory that does not grow with the prompt: an approximation, see `compressInBlocks`. */
  readonly blocks?: BlockOptions | undefined;
}

export interface Answer extends Generated {
  /** Entries kept of the prompt, [layer][kvHead]. */
  readonly kept: readonly (readonly number[])[];
  /** Bytes of the compressed cache. */
  readonly bytes: number;
}

/** Answers one prompt. Options given here go before the pipeline's own. */
export type Pipeline = (prompt: string | Int32Array, options?: PipelineOptions) => Promise<Answer>;

const { chunk, onProgress } = prefillSchema.shape;
const blocks = z.strictObject(blockShape, "an object with block and working").optional();
const pipelineSchema = z.object({ ...generateSchema.shape, chunk, onProgress, blocks });

/**
 * A model and a method as one function. It keeps no state: every call prefills, compresses and generates afresh.
 *
 * @throws KvError `invalid_option` at once for wrong defaults; later as `prefill`, `compress`, `compressInBlocks` and `generate` do
 */
export function pipeline(model: Model, method: Method, defaults: PipelineOptions = {}): Pipeline {
  checked(pipelineSchema, defaults, "pipeline");
  const own = given(defaults);
  return async (prompt, overrides = {}) => {
    checked(pipelineSchema, overrides, "pipeline");
    const { chunk, onProgress, blocks, ...generation } = { ...own, ...given(overrides) };
    const running = { chunk, onProgress, signal: generation.signal };
    const observe = generation.evict === undefined ? [method] : [method, generation.evict];
    using cache = await (blocks === undefined
      ? prefillThenCompress(model, prompt, method, { ...running, observe })
      : compressInBlocks(model, prompt, method, { ...blocks, ...running }));
    const { lengths: kept, bytes } = cache;
    return { ...(await generate(model, cache, generation)), kept, bytes };
  };
}

async function prefillThenCompress(
  model: Model,
  prompt: string | Int32Array,
  method: Method,
  running: Pick<PrefillOptions, "chunk" | "onProgress" | "signal" | "observe">,
): Promise<KvCache> {
  const tokens = tokensOf(model, prompt);
  const layered = await byLayer(model, method, tokens);
  if (typeof layered !== "string") return layered(running);
  using context = await prefill(model, tokens, running);
  return await compress(context, method);
}

/** A copy without what is undefined, so that it hides no default. */
function given(options: PipelineOptions): PipelineOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
