/** Decoding steps: one token of each sequence, in as few runs of the graph as the plan allows. */

import { embeddingsOf } from "../embeddings.ts";
import type { Step } from "../index.ts";
import { refuseTwice } from "../refuse-twice.ts";
import { rowOf } from "../row-of.ts";
import { type Copies, copiesFor } from "./batch/copies.ts";
import { batchFeeds } from "./batch/feeds.ts";
import { type BatchRun, plan } from "./batch/plan.ts";
import { raggedFeeds } from "./feeds.ts";
import { rowFeeds } from "./rows.ts";
import { floats, type Run } from "./run.ts";
import { outputsFor, sightOf } from "./sight.ts";
import { TokenFeeds } from "./token.ts";

type Logits = Float32Array;

/**
 * Steps whole batches. Between two of them it remembers copies that the next may use again: packed entries and tails of the last
 * batch (batch/copies.ts), never more, and nothing that the caches do not hold themselves.
 */
export function batchStepper(run: Run): (batch: readonly Step[]) => Promise<readonly Logits[]> {
  let copies: Copies = new WeakMap();
  const tokenFeeds = new TokenFeeds(run.config);
  return async (batch) => {
    refuseTwice(batch);
    const logits = new Map<Step, Logits>();
    const kept: Copies = new WeakMap();
    for (const part of plan(batch)) {
      const steps = part.groups.flatMap(({ members }) => members.flatMap((i) => batch[i] ?? []));
      const results =
        part.kind === "alone" ? await alone(run, steps, tokenFeeds) : await together(run, part, steps, copies, kept);
      for (const [i, step] of steps.entries()) logits.set(step, results[i] ?? new Float32Array(0));
    }
    if (batch.length > 1) copies = kept;
    return batch.flatMap((step) => logits.get(step) ?? []);
  };
}

async function alone(run: Run, steps: readonly Step[], tokenFeeds: TokenFeeds): Promise<readonly Logits[]> {
  const results: Logits[] = [];
  for (const { token, cache, sees = "positions" } of steps) {
    const { config, session, tables, idle } = run;
    const embeddings = embeddingsOf(config, run.weights, [token]);
    const positions = Int32Array.of(cache.length);
    const queriesFrom = sees === "queries" ? 0 : null;
    const rows = rowFeeds(config, tables, { embeddings, positions, logitsFrom: 0, queriesFrom });
    const attention = (cache.compact === null ? tokenFeeds.of(cache) : null) ?? raggedFeeds(config, cache);
    const out = await session.run({ ...idle, ...rows, ...attention }, [
      "logits",
      "entries",
      ...outputsFor(sees, config),
    ]);
    cache.append(floats(out, "entries"), floats(out, "logits"), sightOf(run, cache, sees, out));
    results.push(cache.logits);
  }
  return results;
}

const seesQueries = ({ sees }: Step) => sees === "queries";

async function together(
  run: Run,
  part: BatchRun,
  steps: readonly Step[],
  known: Copies,
  kept: Copies,
): Promise<readonly Logits[]> {
  const { config, session, tables, idle } = run;
  const caches = steps.map(({ cache }) => cache);
  const { pages, members, tails } = copiesFor(config, part, caches, known, kept);
  const rows = {
    embeddings: embeddingsOf(
      config,
      run.weights,
      steps.map(({ token }) => token),
    ),
    positions: Int32Array.from(caches, ({ length }) => length),
    logitsFrom: 0,
    queriesFrom: steps.some(seesQueries) ? 0 : null,
  };
  const feeds = { ...idle, ...rowFeeds(config, tables, rows), ...batchFeeds(config, caches, pages, members, tails) };
  const out = await session.run(feeds, ["logits", "entries", ...(steps.some(seesQueries) ? ["queries"] : [])]);
  return caches.map((cache, i) => {
    // Copies, because a view would keep the whole batch's logits alive for as long as one of its sequences.
    const logits = floats(out, "logits").slice(i * config.vocabSize, (i + 1) * config.vocabSize);
    const sight = sightOf(run, cache, steps[i]?.sees ?? "positions", out, [i, caches.length]);
    cache.append(rowOf(floats(out, "entries"), i, caches.length, config.headDim), logits, sight);
    return logits;
  });
}
