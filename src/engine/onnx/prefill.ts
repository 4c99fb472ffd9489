/** A prompt through the graph, chunk by chunk, at its beginning or after what earlier tokens left. */
import { PromptCache } from "../../cache/prompt.ts";
import type { PromptEntries } from "../../cache/prompt-entries.ts";
import { release } from "../../onnx/session.ts";
import { invalid } from "../../options.ts";
import { prefillInChunks } from "../chunked-prefill.ts";
import { embeddingsOf } from "../embeddings.ts";
import type { PrefillRequest, PrefillResult } from "../index.ts";
import { refuseGaps } from "../refuse-gaps.ts";
import { chunkFeeds } from "./feeds.ts";
import { YES } from "./flags.ts";
import { sumsOf } from "./layer-attention.ts";
import { rowFeeds } from "./rows.ts";
import { floats, type Run } from "./run.ts";

/**
 * With column sums, a chunk's probabilities [H, S, n] are in memory: 64 MiB of them, at most, where that leaves chunks of a
 * sensible size. At n = 8000 chunks of 256 cost a tenth over no sums at all, of 128 a sixth, of 64 a third (2026-11).
 */
const PROBABILITIES = 2 ** 24;
const SMALLEST_CHUNK = 64;

export async function prefill(run: Run, request: PrefillRequest): Promise<PrefillResult> {
  const { config, session, tables, idle, kernels } = run;
  const { columnSums = false } = request;
  const n = request.tokens.length;
  const cache = inMemory(request.cache ?? new PromptCache(config, n));
  refuseGaps(config, cache);
  const affordable = Math.max(SMALLEST_CHUNK, Math.floor(PROBABILITIES / (config.queryHeads * (cache.length + n))));
  const chunk = columnSums ? Math.min(request.chunk, affordable) : request.chunk;
  const sums = columnSums ? config.slidingWindow.map((_, layer) => sumsOf(layer)) : [];
  const surroundings = { config, kernels, frequencies: tables.frequencies };
  return prefillInChunks(surroundings, { ...request, chunk, cache }, async ({ tokens, ...rows }) => {
    const feeds = {
      ...idle,
      ...(columnSums ? {} : { flash: YES }),
      ...chunkFeeds(config, cache, tokens.length),
      ...rowFeeds(config, tables, { ...rows, embeddings: embeddingsOf(config, run.weights, tokens) }),
    };
    const out = await session.run(feeds, ["logits", "queries", "entries", ...sums]);
    cache.append(floats(out, "entries"), tokens.length);
    return {
      logits: floats(out, "logits"),
      queries: floats(out, "queries"),
      columnSums: sums.map((name) => floats(out, name)),
      [Symbol.dispose]: () => release(out),
    };
  });
}

function inMemory(entries: PromptEntries): PromptCache {
  if (entries instanceof PromptCache) return entries;
  throw invalid(["prefill", "cache"], "entries of another engine", "what this engine's `prompt` made");
}
