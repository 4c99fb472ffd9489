/** What a decoding step shows of its tokens, where it is asked to. */

import type { KvCache } from "../../cache/cache.ts";
import type { Sight, TokenSight } from "../../cache/decider.ts";
import { headLength, isUniform } from "../../cache/layer.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Feed } from "../../onnx/session.ts";
import { RecentQueries } from "../recent-queries.ts";
import { sumsOf } from "./layer-attention.ts";
import { floats, type Run } from "./run.ts";

type Outputs = Readonly<Record<string, Feed>>;

const QUERIES: readonly string[] = ["queries"];

/** The outputs to fetch for it. */
export function outputsFor(sees: Sight, { slidingWindow }: ModelConfig): readonly string[] {
  if (sees === "attention") return slidingWindow.map((_, layer) => sumsOf(layer));
  return sees === "queries" ? QUERIES : [];
}

/** Of the token that was run on a cache, which has not taken it in yet; `sequence` is its place among `count` in a batch. */
export function sightOf(
  run: Run,
  cache: KvCache,
  sees: Sight,
  out: Outputs,
  [sequence, count]: readonly [number, number] = [0, 1],
): TokenSight {
  if (sees === "attention") return { queries: null, attention: attentionOf(run.config, cache, out) };
  if (sees === "positions") return { queries: null, attention: null };
  const { layers, queryHeads, headDim } = run.config;
  const width = queryHeads * headDim;
  const all = floats(out, "queries"); // [L, count, H * d]
  const own = new Float32Array(layers * width);
  for (let layer = 0; layer < layers; layer++) {
    const from = (layer * count + sequence) * width;
    own.set(all.subarray(from, from + width), layer * width);
  }
  const recent = new RecentQueries(run.config, run.tables.frequencies, 1, 1, cache.length);
  recent.take(own, 1);
  return { queries: recent.layers, attention: null };
}

/**
 * [layer][kvHead] of [entries], from weights [1, H, columns]: those of the kept entries, compact ones first, of every head's where the layer
 * is ragged; of the tail and of room in it, and of the token itself.
 */
function attentionOf({ queryHeads, kvHeads }: ModelConfig, cache: KvCache, out: Outputs): TokenSight["attention"] {
  const group = queryHeads / kvHeads;
  const { layers, compact, tail } = cache;
  return layers.map((entries, layer) => {
    const weights = floats(out, sumsOf(layer));
    const columns = weights.length / queryHeads;
    const older = compact?.layers[layer];
    const parts = older === undefined ? [entries] : [older, entries];
    const uniform = parts.every(isUniform);
    return Array.from({ length: kvHeads }, (_, head) => {
      const seen: number[] = [];
      let from = 0;
      for (const part of parts) {
        const first = from + (uniform ? 0 : (part.offsets[head] ?? 0));
        for (let i = 0; i < headLength(part, head); i++) seen.push(first + i);
        from += uniform ? headLength(part, head) : part.positions.length;
      }
      for (let i = 0; i < tail.length; i++) seen.push(from + i);
      seen.push(columns - 1);
      const masses = new Float32Array(seen.length);
      for (let row = head * group * columns; row < (head + 1) * group * columns; row += columns)
        for (let i = 0; i < seen.length; i++) masses[i] = (masses[i] ?? 0) + (weights[row + (seen[i] ?? 0)] ?? 0);
      return masses;
    });
  });
}
