/** Several tokens of one sequence over a compressed cache, chunk by chunk: each reads the weights once. */
import { throwIfAborted } from "../../abort.ts";
import type { KvCache } from "../../cache/cache.ts";
import type { ModelConfig } from "../../model/config.ts";
import { release } from "../../onnx/session.ts";
import { embeddingsOf } from "../embeddings.ts";
import type { ExtendRequest } from "../index.ts";
import { rowOf } from "../row-of.ts";
import { untilSettling } from "../until-settling.ts";
import { raggedFeeds } from "./feeds.ts";
import { rowFeeds } from "./rows.ts";
import { floats, type Run } from "./run.ts";

/** Scores of a layer that may be in memory at once: 64 MiB of them. */
const SCORES = 2 ** 24;

export async function extend(run: Run, request: ExtendRequest): Promise<Float32Array> {
  const { config, session, tables, idle } = run;
  const { tokens, cache, signal, onProgress } = request;
  const n = tokens.length;
  for (let from = 0; from < n; ) {
    throwIfAborted(signal, ["signal"]);
    const count = Math.min(request.chunk, affordable(config, cache), untilSettling(cache), n - from);
    const start = cache.length;
    const rows = {
      embeddings: embeddingsOf(config, run.weights, tokens.subarray(from, from + count)),
      positions: Int32Array.from({ length: count }, (_, i) => start + i),
      logitsFrom: count - 1,
      queriesFrom: null,
    };
    const feeds = { ...idle, ...rowFeeds(config, tables, rows), ...raggedFeeds(config, cache, count) };
    const out = await session.run(feeds, ["logits", "entries"]);
    const [logits, entries] = [floats(out, "logits").slice(), floats(out, "entries")];
    for (let row = 0; row < count; row++) cache.append(rowOf(entries, row, count, config.headDim), logits);
    release(out);
    from += count;
    onProgress?.(from, n);
  }
  return cache.logits;
}

/** Tokens whose scores fit: a ragged layer scores the entries of all its KV heads for every query head. */
function affordable({ queryHeads }: ModelConfig, { lengths }: KvCache): number {
  const scored = lengths.map((heads) =>
    heads.every((held) => held === heads[0]) ? (heads[0] ?? 0) : heads.reduce((sum, held) => sum + held, 0),
  );
  return Math.max(1, Math.floor(SCORES / (queryHeads * (Math.max(...scored) + 1))));
}
