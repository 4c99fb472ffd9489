/** The stages composed: prefill -> compress -> generate, as one function from prompt to answer. */
import { compress } from "./compress.ts";
import { type Generated, type GenerateOptions, generate } from "./generate/generate.ts";
import type { Model } from "./load.ts";
import type { Method } from "./methods/method.ts";
import { type PrefillOptions, prefill } from "./prefill.ts";

export interface PipelineOptions extends GenerateOptions, Pick<PrefillOptions, "chunk" | "onProgress"> {}

export interface Answer extends Generated {
  /** Entries kept of the prompt, [layer][kvHead]. */
  readonly kept: readonly (readonly number[])[];
  /** Bytes of the compressed cache. */
  readonly bytes: number;
}

/** Answers one prompt. Options given here go before the pipeline's own. */
export type Pipeline = (prompt: string | Int32Array, options?: PipelineOptions) => Promise<Answer>;

/**
 * A model and a method as one function. It keeps no state: every call prefills, compresses and generates afresh.
 *
 * @throws KvError as `prefill`, `compress` and `generate` do
 */
export function pipeline(model: Model, method: Method, defaults: PipelineOptions = {}): Pipeline {
  return async (prompt, overrides = {}) => {
    const options = { ...defaults, ...overrides };
    using context = await prefill(model, prompt, { ...options, observe: [method] });
    using cache = await compress(context, method);
    const { lengths: kept, bytes } = cache;
    return { ...(await generate(model, cache, options)), kept, bytes };
  };
}
