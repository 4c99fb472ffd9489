/** Puts one prompt to a model under many methods: one prefill for all, then one batch of all their answers. */
import { mean } from "simple-statistics";
import type { KvCache } from "../../cache/cache.ts";
import { compress } from "../../compress.ts";
import { decode } from "../../generate/decode.ts";
import { generateBatch } from "../../generate/generate.ts";
import type { Model } from "../../load.ts";
import { keptWindows } from "../../methods/sliding-layers.ts";
import { prefill } from "../../prefill.ts";
import { fidelities } from "../fidelity.ts";
import type { Made } from "./configuration.ts";
import type { Answered, Ask, Outcome } from "./job.ts";

interface Compressed {
  readonly cache: KvCache;
  /** Entries per KV head, averaged over heads and over the layers that methods choose in. */
  readonly kept: number;
  readonly bytes: number;
  readonly compressMs: number;
}

/** Who answers, and the key of the result. */
export interface Answerer extends Made {
  readonly key: string;
}

/** Queries that judge what was kept: SnapKV's window. */
const WINDOW = 8;

/**
 * The answers under every method, in order, with what evicts while they are decoded.
 *
 * @throws KvError as `prefill`, `compress` and `generateBatch` do
 */
export async function answer(
  model: Model,
  ask: Ask,
  choices: readonly Answerer[],
  signal?: AbortSignal,
): Promise<Outcome> {
  const tokens = Int32Array.from(ask.prompt);
  const [now, last] = ask.lastOnCache ? [tokens.subarray(0, -1), tokens.at(-1) ?? null] : [tokens, null];
  const observe = choices.flatMap(({ method, evict }) => [method, ...(evict === undefined ? [] : [evict])]);
  const started = performance.now();
  using context = await prefill(model, now, { observe, signal });
  const prefillMs = performance.now() - started;
  using held = new DisposableStack();
  const compressed: Compressed[] = [];
  for (const { method } of choices) {
    const began = performance.now();
    const cache = held.use(await compress(context, method));
    const compressMs = performance.now() - began;
    compressed.push({ cache, kept: mean(chosenLengths(model, cache)), bytes: cache.bytes, compressMs });
  }
  const caches = compressed.map(({ cache }) => cache);
  const fidelity = ask.fidelity ? await fidelities(context, caches, { window: Math.min(WINDOW, context.length) }) : [];
  const decoding = performance.now();
  if (last !== null) {
    const steps = caches.map((cache, i) => ({ token: last, cache, evict: choices[i]?.evict }));
    await decode(model.engine, steps);
  }
  const { maxNewTokens, minNewTokens, stopTokens } = ask;
  const evict = choices.map((one) => one.evict ?? null);
  const generated = await generateBatch(model, caches, { maxNewTokens, minNewTokens, stopTokens, evict, signal });
  const decodeMs = performance.now() - decoding;
  const answers = compressed.map(({ kept, bytes, compressMs }, i): Answered => {
    const { recall = null, outputError = null } = fidelity[i] ?? {};
    return {
      key: choices[i]?.key ?? "",
      text: generated[i]?.text ?? "",
      kept,
      bytes,
      recall,
      outputError,
      compressMs,
    };
  });
  return { answers, prefillMs, decodeMs };
}

/** Entries per KV head where methods choose: what budgets count. */
function chosenLengths({ config }: Model, cache: KvCache): number[] {
  const windows = keptWindows(config.slidingWindow);
  return cache.lengths.filter((_, layer) => windows[layer] === null).flat();
}
