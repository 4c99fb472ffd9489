/** The stages composed: prefill -> compress -> generate, as one function from prompt to answer. */
import { z } from "zod";
import { compress } from "./compress.ts";
import { type Generated, type GenerateOptions, generate } from "./generate/generate.ts";
import { generateSchema } from "./generate/options.ts";
import type { Model } from "./load.ts";
import type { Method } from "./methods/method.ts";
import { checked } from "./options.ts";
import { type PrefillOptions, prefill, prefillSchema } from "./prefill.ts";

export interface PipelineOptions extends GenerateOptions, Pick<PrefillOptions, "chunk" | "onProgress"> {}

export interface Answer extends Generated {
  /** Entries kept of the prompt, [layer][kvHead]. */
  readonly kept: readonly (readonly number[])[];
  /** Bytes of the compressed cache. */
  readonly bytes: number;
}

/** Answers one prompt. Options given here go before the pipeline's own. */
export type Pipeline = (prompt: string | Int32Array, options?: PipelineOptions) => Promise<Answer>;

const { chunk, onProgress } = prefillSchema.shape;
const pipelineSchema = z.object({ ...generateSchema.shape, chunk, onProgress });

/**
 * A model and a method as one function. It keeps no state: every call prefills, compresses and generates afresh.
 *
 * @throws KvError `invalid_option` at once for wrong defaults; later as `prefill`, `compress` and `generate` do
 */
export function pipeline(model: Model, method: Method, defaults: PipelineOptions = {}): Pipeline {
  checked(pipelineSchema, defaults, "pipeline");
  const own = given(defaults);
  return async (prompt, overrides = {}) => {
    checked(pipelineSchema, overrides, "pipeline");
    const { chunk, onProgress, ...generation } = { ...own, ...given(overrides) };
    const { signal } = generation;
    using context = await prefill(model, prompt, { observe: [method], chunk, onProgress, signal });
    using cache = await compress(context, method);
    const { lengths: kept, bytes } = cache;
    return { ...(await generate(model, cache, generation)), kept, bytes };
  };
}

/** A copy without what is undefined, so that it hides no default. */
function given(options: PipelineOptions): PipelineOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
