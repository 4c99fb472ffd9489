/** The loop of every generation: from logits to tokens to logits, for one sequence or many. */
import { throwIfAborted } from "../abort.ts";
import type { KvCache } from "../cache/cache.ts";
import type { DecodingPolicy } from "../decoding/policy.ts";
import type { Model } from "../load.ts";
import { checked, invalid } from "../options.ts";
import { decodeAndDraw } from "./decode.ts";
import { type BatchOptions, batchSchema, generateSchema } from "./options.ts";
import { type Generated, type GeneratedToken, Sequence } from "./sequence.ts";

export interface IndexedToken extends GeneratedToken {
  /** Which of the sequences it belongs to. */
  readonly index: number;
}

const SCHEMAS = { generate: generateSchema, generateBatch: batchSchema };

export class Run {
  readonly #model: Model;
  #sequences: readonly Sequence[] = [];

  constructor(model: Model) {
    this.#model = model;
  }

  /** What has come of each sequence so far. */
  results(): readonly Generated[] {
    return this.#sequences.map((sequence) => sequence.result());
  }

  /** Continues every cache until it ends; those that are left share each step. Sequence i draws with seed + i. */
  async *tokens(
    originals: readonly KvCache[],
    options: BatchOptions,
    name: keyof typeof SCHEMAS,
  ): AsyncGenerator<IndexedToken, readonly Generated[]> {
    const { signal, evict, ...own } = checked(SCHEMAS[name], options, name);
    const policies = policiesOf(evict, originals.length, name);
    using forks = new DisposableStack();
    this.#sequences = originals.map((cache, i) =>
      forks.use(new Sequence(this.#model, cache, { ...own, evict: policies[i] ?? undefined, seed: own.seed + i })),
    );
    for (;;) {
      yield* this.#each((sequence) => sequence.endIfComplete());
      if (this.#sequences.every(({ ended }) => ended)) return this.results();
      throwIfAborted(signal, [name, "signal"]);
      yield* this.#each((sequence) => sequence.endIfFull());
      const steps = this.#sequences.flatMap((sequence) => (sequence.ended ? [] : (sequence.pending ?? [])));
      const drawn = steps.length > 0 ? await decodeAndDraw(this.#model.engine, steps, own) : null;
      const next = drawn?.values();
      yield* this.#each((sequence) => sequence.advance(next?.next().value ?? null));
    }
  }

  *#each(work: (sequence: Sequence) => Iterable<GeneratedToken>): Generator<IndexedToken> {
    for (const [index, sequence] of this.#sequences.entries()) {
      if (sequence.ended) continue;
      for (const item of work(sequence)) yield { index, ...item };
    }
  }
}

/** The policy of each cache. @throws KvError `invalid_option` for a list of another length */
function policiesOf(evict: BatchOptions["evict"], count: number, name: string): readonly (DecodingPolicy | null)[] {
  if (evict === undefined || "start" in evict) return Array.from({ length: count }, () => evict ?? null);
  if (evict.length === count) return evict;
  throw invalid([name, "evict"], `${evict.length} in a list`, `a list of one or null for each of ${count} caches`);
}
