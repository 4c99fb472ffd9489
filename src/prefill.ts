/** The first stage: a prompt through the network once, its full cache, and what compression methods will want to know of it. */
import { z } from "zod";
import { type Context, contextOf } from "./context.ts";
import type { PrefillRequest } from "./engine/index.ts";
import type { Model } from "./load.ts";
import type { Method } from "./methods/method.ts";
import type { Observation } from "./observation.ts";
import { callbackOption, checked, signalOption } from "./options.ts";
import { tokensOf } from "./prompt.ts";
import { runProbes } from "./run-probes.ts";
import { allNeeds } from "./scoring/needs.ts";

/** Queries that are always observed: enough for every published window. */
export const OBSERVED_QUERIES = 64;

export interface PrefillOptions {
  /** Methods that will compress this prompt, and decoding policies: what they need to see is collected on the way. The last 64 queries always are. */
  readonly observe?: readonly Pick<Method, "needs">[] | undefined;
  /** Tokens run at once; the result does not depend on it. Default 512; for prompts over 4,096 tokens 256 on the CPU, 1,024 on a GPU. */
  readonly chunk?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each chunk with the tokens done. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const isMethod = (value: unknown) => typeof value === "object" && value !== null && "needs" in value;

/** Of tokens that are run together. */
export const tokenCount = z
  .int("an integer >= 1")
  .min(1, "an integer >= 1")
  .max(2 ** 20, "an integer <= 1048576");

export const prefillSchema = z.object({
  observe: z
    .array(z.custom<Pick<Method, "needs">>(isMethod, "a method such as snapKV({ budget: 128 })"), "a list of methods")
    .default([]),
  chunk: tokenCount.optional(),
  signal: signalOption,
  onProgress: callbackOption<(done: number, total: number) => void>(),
});

/** What an engine is asked for. @throws KvError `invalid_option` */
export function prefillRequest({ engine }: Model, tokens: Int32Array, options: PrefillOptions): PrefillRequest {
  const { observe, chunk, signal, onProgress } = checked(prefillSchema, options, "prefill");
  const needs = allNeeds(observe.map((method) => method.needs));
  return {
    tokens,
    chunk: chunk ?? engine.chunkFor(tokens.length),
    lastQueries: Math.max(OBSERVED_QUERIES, needs.queries),
    columnSums: needs.columnSums,
    moments: needs.moments,
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
}

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
  const tokens = tokensOf(model, prompt);
  const request = prefillRequest(model, tokens, options);
  const { probes } = allNeeds((options.observe ?? []).map((method) => method.needs));
  const { chunk, signal } = request;
  const running = { chunk, ...(signal === undefined ? {} : { signal }) };
  const { entries, logits, queries, columnSums, moments } = await model.engine.prefill(request);
  const { queryHeads, headDim } = model.config;
  const observation: Observation = {
    queries: queries.map((data) => ({ data, dims: [queryHeads, data.length / (queryHeads * headDim), headDim] })),
    columnSums: columnSums?.map((data) => ({ data, dims: [queryHeads, tokens.length] })) ?? null,
    moments,
    probes: await runProbes(model, tokens, entries, probes, running),
  };
  return contextOf(model, tokens, entries, logits, observation);
}
