/** Law 7 for batches: whatever else is decoded beside it, before it or after it, a sequence decodes as the plain decoder does. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Context,
  compress,
  full,
  h2o,
  type KvCache,
  prefill,
  retain,
  type Selection,
  step,
} from "../../src/index.ts";
import { compressors } from "../support/compressors.ts";
import { maxDifference } from "../support/golden.ts";
import { TOLERANCE } from "../support/network-laws.ts";
import { uniform } from "../support/random.ts";
import type { NetworkKind, Windows } from "../support/random-model.ts";
import { referenceLogits } from "../support/reference-decoder.ts";
import { holds } from "../support/seed.ts";
import { sharedModel, type TinyModel } from "../support/tiny-model.ts";

const token = fc.integer({ min: 0, max: 63 });

/** How a sequence came about: from one of the prompts, by a method, by a selection as unequal as can be, or as a fork of the one before. */
const member = fc.record({
  prompt: fc.integer({ min: 0, max: 2 }),
  kept: fc.constantFrom("ragged" as const, "fork" as const, ...Object.keys(compressors)),
  budget: fc.integer({ min: 9, max: 60 }),
  tail: fc.constantFrom(0, 0, 1, 3, 15, 16, 17),
});

const batches = fc.record({
  layers: fc.integer({ min: 1, max: 3 }),
  heads: fc.constantFrom([4, 2] as const, [4, 4] as const, [6, 2] as const, [3, 1] as const),
  slidingWindow: fc.constantFrom<Windows>(null, null, 4, 11, 40, [11, null]),
  kind: fc.constantFrom<NetworkKind>("llama", "llama", "biased", "gemma"),
  seed: fc.integer({ min: 1, max: 2 }),
  prompts: fc.array(fc.array(token, { minLength: 12, maxLength: 70 }), { minLength: 3, maxLength: 3 }),
  members: fc.array(member, { minLength: 1, maxLength: 6 }),
  /** Who takes part in each step, in which order, with which token. */
  steps: fc.array(fc.array(fc.record({ who: fc.integer({ min: 0, max: 5 }), token }), { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 5,
  }),
});

interface Sequence {
  readonly cache: KvCache;
  readonly prompt: readonly number[];
  /** What was decoded after the prompt, and the logits after each. */
  readonly decoded: number[];
  readonly logits: (readonly [position: number, logits: Float32Array])[];
  readonly sees: readonly (readonly ReadonlySet<number>[])[];
}

/** Heads of very different lengths: the first of several may keep nothing at all. */
function raggedSelection({ model, tokens }: Context, seed: number): Selection {
  const chance = uniform(seed);
  const { layers, kvHeads } = model.config;
  return Array.from({ length: layers }, () =>
    Array.from({ length: kvHeads }, (_, head) =>
      Int32Array.from(tokens.keys()).filter((j) => (head === kvHeads - 1 && j === 0) || chance() < head / kvHeads),
    ),
  );
}

async function startOf(
  contexts: readonly Context[],
  { prompt, kept, budget, tail }: { prompt: number; kept: string; budget: number; tail: number },
  before: Sequence | undefined,
): Promise<Sequence> {
  const context = contexts[prompt];
  assert.ok(context !== undefined);
  const forked = kept === "fork" ? before : undefined;
  const factory = compressors[kept] ?? full;
  const cache =
    forked?.cache.fork() ??
    (kept === "ragged"
      ? await retain(context, raggedSelection(context, budget))
      : await compress(context, factory({ budget: Math.min(budget, context.length) })));
  const { kvHeads } = context.model.config;
  const sequence: Sequence = {
    cache,
    prompt: forked?.prompt ?? [...context.tokens],
    decoded: [...(forked?.decoded ?? [])],
    logits: [],
    sees:
      forked?.sees ??
      cache.places.map((_, layer) =>
        Array.from({ length: kvHeads }, (_, head) => new Set(cache.positions(layer, head))),
      ),
  };
  for (let i = 0; i < tail; i++) {
    const next = (i * 13 + budget) % 64;
    await step(context.model, cache, next);
    sequence.decoded.push(next);
  }
  return sequence;
}

function assertDecoded(
  { config, weights }: TinyModel,
  { prompt, decoded, logits, sees }: Sequence,
  name: string,
): void {
  const n = prompt.length;
  const masked = referenceLogits(
    config,
    weights,
    [...prompt, ...decoded],
    (layer, head, query, key) => query < n || key >= n || (sees[layer]?.[head]?.has(key) ?? false),
  );
  for (const [position, ours] of logits) {
    assert.ok(maxDifference(ours, masked[position] ?? []) < TOLERANCE, `${name} at position ${position}`);
  }
}

describe("in a batch", () => {
  test("sequences of any prompts, methods, budgets and tails, coming and going, decode as the plain decoder", () =>
    holds(
      batches,
      async ({ layers, heads, slidingWindow, kind, seed, prompts, members, steps }) => {
        const shape = { layers, queryHeads: heads[0], kvHeads: heads[1], slidingWindow, kind };
        const model = await sharedModel(shape, seed);
        const observe = Object.values(compressors).map((factory) => factory({ budget: 12 }));
        const contexts: Context[] = [];
        for (const prompt of prompts) contexts.push(await prefill(model, Int32Array.from(prompt), { observe }));
        const sequences: Sequence[] = [];
        for (const one of members) sequences.push(await startOf(contexts, one, sequences.at(-1)));
        for (const pairs of steps) {
          const batch = new Map(
            pairs.flatMap(({ who, token }) => {
              const sequence = sequences[who % sequences.length];
              return sequence === undefined ? [] : [[sequence, token] as const];
            }),
          );
          const results = await model.engine.step([...batch].map(([{ cache }, token]) => ({ token, cache })));
          assert.equal(results.length, batch.size);
          for (const [i, [sequence, token]] of [...batch].entries()) {
            sequence.decoded.push(token);
            const logits = results[i] ?? new Float32Array(0);
            assert.equal(sequence.cache.logits, logits);
            assert.equal(sequence.cache.length, sequence.prompt.length + sequence.decoded.length);
            sequence.logits.push([sequence.cache.length - 1, logits]);
          }
        }
        for (const [i, sequence] of sequences.entries()) assertDecoded(model, sequence, `sequence ${i}`);
      },
      60,
    ));

  test("a long life together: tails outgrow their pages while members leave one by one", () =>
    holds(
      fc.record({ heads: fc.constantFrom([4, 2] as const, [6, 2] as const), slidingWindow: fc.constantFrom(null, 11) }),
      async ({ heads, slidingWindow }) => {
        const model = await sharedModel({ layers: 2, queryHeads: heads[0], kvHeads: heads[1], slidingWindow }, 1);
        const prompt = Array.from({ length: 30 }, (_, i) => (i * 11) % 64);
        using context = await prefill(model, Int32Array.from(prompt), { observe: [h2o({ budget: 12 })] });
        const sequences: Sequence[] = [];
        for (const kept of ["h2o", "ragged", "fork", "full", "fork"]) {
          sequences.push(await startOf([context], { prompt: 0, kept, budget: 12, tail: 0 }, sequences.at(-1)));
        }
        for (let i = 0; i < 36; i++) {
          const present = sequences.filter((_, s) => i < 18 + 5 * s);
          const results = await model.engine.step(present.map(({ cache }, s) => ({ token: (i * 7 + s) % 64, cache })));
          for (const [s, sequence] of present.entries()) {
            sequence.decoded.push((i * 7 + s) % 64);
            sequence.logits.push([sequence.cache.length - 1, results[s] ?? new Float32Array(0)]);
          }
        }
        for (const [i, sequence] of sequences.entries()) assertDecoded(model, sequence, `sequence ${i}`);
      },
      4,
    ));
});
