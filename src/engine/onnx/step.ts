/** Decoding steps: one token of each sequence, in as few runs of the graph as the plan allows. */
import type { KvCache } from "../../cache/cache.ts";
import { KvError } from "../../error.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { Session } from "../../onnx/session.ts";
import type { Step } from "../index.ts";
import { type Copies, copiesFor } from "./batch/copies.ts";
import { batchFeeds } from "./batch/feeds.ts";
import { type BatchRun, plan } from "./batch/plan.ts";
import { tokenFeeds } from "./feeds.ts";
import { rowFeeds } from "./rows.ts";

export const EMBEDDINGS = "model.embed_tokens.weight";

/** What runs of one engine share. */
export interface Run {
  readonly config: ModelConfig;
  readonly weights: Weights;
  readonly session: Session;
  readonly frequencies: Float64Array;
}

type Logits = Float32Array;

/**
 * Steps whole batches. Between two of them it remembers copies that the next may use again: packed entries and tails of the last
 * batch (batch/copies.ts), never more, and nothing that the caches do not hold themselves.
 */
export function batchStepper(run: Run): (batch: readonly Step[]) => Promise<readonly Logits[]> {
  let copies: Copies = new WeakMap();
  return async (batch) => {
    refuseTwice(batch);
    const logits = new Map<Step, Logits>();
    const kept: Copies = new WeakMap();
    for (const part of plan(batch)) {
      const steps = part.groups.flatMap(({ members }) => members.flatMap((i) => batch[i] ?? []));
      const results = part.kind === "alone" ? await alone(run, steps) : await together(run, part, steps, copies, kept);
      for (const [i, step] of steps.entries()) logits.set(step, results[i] ?? new Float32Array(0));
    }
    if (batch.length > 1) copies = kept;
    return batch.flatMap((step) => logits.get(step) ?? []);
  };
}

async function alone(run: Run, steps: readonly Step[]): Promise<readonly Logits[]> {
  const results: Logits[] = [];
  for (const { token, cache } of steps) {
    const embeddings = run.weights.readRows(EMBEDDINGS, [token]);
    const feeds = tokenFeeds(run.config, run.frequencies, embeddings, cache);
    const out = await run.session.run(feeds, ["logits", "entries"]);
    const logits = out.logits.data as Float32Array;
    cache.append(out.entries.data as Float32Array, logits);
    results.push(logits);
  }
  return results;
}

async function together(
  { config, weights, session, frequencies }: Run,
  part: BatchRun,
  steps: readonly Step[],
  known: Copies,
  kept: Copies,
): Promise<readonly Logits[]> {
  const caches = steps.map(({ cache }) => cache);
  const { pages, members, tails } = copiesFor(config, part, caches, known, kept);
  const rows = {
    embeddings: weights.readRows(
      EMBEDDINGS,
      steps.map(({ token }) => token),
    ),
    positions: Int32Array.from(caches, ({ length }) => length),
    logitsFrom: 0,
    queriesFrom: null,
  };
  const feeds = { ...rowFeeds(config, frequencies, rows), ...batchFeeds(config, caches, pages, members, tails) };
  const out = await session.run(feeds, ["logits", "entries"]);
  const entries = out.entries.data as Float32Array;
  return caches.map((cache, i) => {
    // Copies, because a view would keep the whole batch's logits alive for as long as one of its sequences.
    const logits = (out.logits.data as Float32Array).slice(i * config.vocabSize, (i + 1) * config.vocabSize);
    cache.append(rowOf(entries, i, caches.length, config.headDim), logits);
    return logits;
  });
}

/** One sequence's part of [L, 2, KH, B, d]: [L, 2, KH, d]. */
function rowOf(entries: Float32Array, sequence: number, count: number, headDim: number): Float32Array {
  const row = new Float32Array(entries.length / count);
  for (let to = 0; to < row.length; to += headDim) {
    const from = to * count + sequence * headDim;
    row.set(entries.subarray(from, from + headDim), to);
  }
  return row;
}

/** A cache cannot take in two next tokens at once. */
function refuseTwice(batch: readonly Step[]): void {
  const seen = new Map<KvCache, number>();
  for (const [i, { cache }] of batch.entries()) {
    const earlier = seen.get(cache);
    if (earlier !== undefined) {
      throw new KvError({
        code: "invalid_option",
        path: ["step", "batch", i, "cache"],
        found: `the cache of pair ${earlier}`,
        allowed: "a cache that is in the batch once",
        hint: "fork it to continue it in two ways",
      });
    }
    seen.set(cache, i);
  }
}
