/**
 * Random lives of caches that are decoded with eviction and without, alone, in batches and as forks, beside a record of what each
 * head held when each token ran. The laws of decoding policies compare the two.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Context,
  compress,
  type DecodingPolicy,
  full,
  type KvCache,
  type PolicyFactory,
  prefill,
  retain,
  type Selection,
} from "../../src/index.ts";
import { compressors, LEAST } from "./compressors.ts";
import { maxDifference } from "./golden.ts";
import { smallestBudget } from "./method-laws.ts";
import { TOLERANCE } from "./network-laws.ts";
import { uniform } from "./random.ts";
import { referenceLogits } from "./reference-decoder.ts";
import { holds } from "./seed.ts";
import { sharedModel, type TinyModel } from "./tiny-model.ts";

/** True positions, [layer][kvHead]. */
export type Held = readonly (readonly (readonly number[])[])[];

export interface Stream {
  readonly cache: KvCache;
  readonly policy: DecodingPolicy | null;
  readonly tokens: number[];
  readonly promptLength: number;
  /** What was held when the token at a position ran, that token left out. */
  readonly before: Map<number, Held>;
  /** What is held now. */
  held: Held;
  /** Tokens since the last eviction. */
  recent: number;
  readonly logits: (readonly [position: number, logits: Float32Array])[];
}

/** One token that a stream took in, between what it held before and what it holds now. */
export interface Taken {
  readonly stream: Stream;
  readonly before: Held;
  readonly position: number;
}

export interface Life {
  readonly model: TinyModel;
  readonly streams: readonly Stream[];
}

export const heldBy = (cache: KvCache): Held =>
  cache.places.map((_, layer) =>
    Array.from({ length: cache.geometry.kvHeads }, (_, head) => [...cache.positions(layer, head)]),
  );

const token = fc.integer({ min: 0, max: 63 });
const upTo = (max: number, min = 0) => fc.integer({ min, max });

const member = fc.record({
  prompt: upTo(1),
  /** By which method it was compressed, or as unequally as can be. */
  kept: fc.constantFrom("ragged", ...Object.keys(compressors)),
  methodBudget: upTo(40, LEAST),
  /** Tokens decoded before anything is evicted. */
  tail: fc.constantFrom(0, 0, 1, 3, 17),
  /** Entries above the policy's least budget; null for a neighbour that keeps everything. */
  room: fc.option(fc.oneof(upTo(8), upTo(40)), { freq: 4 }),
});

const fork = fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: upTo(5) });

const lives = (sliding: boolean) =>
  fc.record({
    layers: upTo(3, 1),
    heads: fc.constantFrom([4, 2] as const, [4, 4] as const, [6, 2] as const, [3, 1] as const),
    slidingWindow: sliding ? fc.constantFrom(null, null, 4, 11) : fc.constant(null),
    seed: upTo(2, 1),
    prompts: fc.array(fc.array(token, { minLength: 1, maxLength: 45 }), { minLength: 2, maxLength: 2 }),
    members: fc.array(member, { minLength: 1, maxLength: 3 }),
    /** Some streams take in a token each; now and then one of them is forked, also long after it began to evict. */
    turns: fc.array(fc.record({ who: fc.array(upTo(5), { minLength: 1, maxLength: 4 }), token, fork }), {
      minLength: 8,
      maxLength: 40,
    }),
  });

/** Lives of a policy's streams; `after` sees every token taken in, `end` what came of the whole; `sliding`: on sliding windows, too. */
export function onStreams(
  factory: PolicyFactory<{ readonly budget: number }>,
  { after = () => {}, end = () => {} }: { after?: (taken: Taken, life: Life) => void; end?: (life: Life) => void },
  { runs = 40, sliding = true }: { readonly runs?: number; readonly sliding?: boolean } = {},
): Promise<void> {
  const least = smallestBudget(factory);
  return holds(
    lives(sliding),
    async ({ layers, heads, slidingWindow, seed, prompts, members, turns }) => {
      const model = await sharedModel({ layers, queryHeads: heads[0], kvHeads: heads[1], slidingWindow }, seed);
      const observe = Object.values(compressors).map((method) => method({ budget: LEAST }));
      const contexts: Context[] = [];
      for (const prompt of prompts) contexts.push(await prefill(model, Int32Array.from(prompt), { observe }));
      const streams: Stream[] = [];
      const life = { model, streams };
      for (const { prompt, kept, methodBudget, tail, room } of members) {
        const context = contexts[prompt] ?? assert.fail();
        const policy = room === null ? null : factory({ budget: least + room });
        const stream = await begin(context, kept, methodBudget, policy);
        for (let i = 0; i < tail; i++) await take(life, [stream], i * 13, null);
        streams.push(stream);
      }
      for (const turn of turns) {
        const at = (who: number) => streams[who % streams.length] ?? assert.fail();
        for (const taken of await take(life, [...new Set(turn.who.map(at))], turn.token)) after(taken, life);
        if (turn.fork !== null && streams.length < 6) streams.push(forkOf(at(turn.fork)));
      }
      end(life);
    },
    runs,
  );
}

async function begin(context: Context, kept: string, budget: number, policy: DecodingPolicy | null): Promise<Stream> {
  const method = (compressors[kept] ?? full)({ budget });
  const cache = await (kept === "ragged" ? retain(context, ragged(context, budget)) : compress(context, method));
  const tokens = [...context.tokens];
  const held = heldBy(cache);
  return { cache, policy, tokens, promptLength: tokens.length, before: new Map(), held, recent: 0, logits: [] };
}

function forkOf(stream: Stream): Stream {
  const { cache, tokens, before } = stream;
  return { ...stream, cache: cache.fork(), tokens: [...tokens], before: new Map(before), logits: [] };
}

/** Heads of very different lengths. */
function ragged({ model, tokens }: Context, seed: number): Selection {
  const chance = uniform(seed);
  const { layers, kvHeads } = model.config;
  return Array.from({ length: layers }, () =>
    Array.from({ length: kvHeads }, (_, head) =>
      Int32Array.from(tokens.keys()).filter((j) => (head === kvHeads - 1 && j === 0) || chance() < (head + 1) / 3),
    ),
  );
}

/** One token for each of some streams, in one batch, and then what their policies let go of. */
async function take(
  { model }: Life,
  streams: readonly Stream[],
  first: number,
  evict?: null,
): Promise<readonly Taken[]> {
  const batch = streams.map(({ cache, policy }, i) => {
    const token = (first + 7 * i) % 64;
    return policy === null || evict === null ? { cache, token } : { cache, token, sees: policy.sees };
  });
  const results = await model.engine.step(batch);
  for (const { cache, policy } of streams)
    if (policy !== null && evict !== null) await cache.evict(policy, model.engine);
  return streams.map((stream, i) => {
    const { cache, tokens, held } = stream;
    const position = tokens.length;
    tokens.push(batch[i]?.token ?? 0);
    stream.before.set(position, held);
    stream.logits.push([position, results[i] ?? new Float32Array(0)]);
    stream.held = heldBy(cache);
    const count = (all: Held) => all.flat().reduce((sum, { length }) => sum + length, 0);
    const all = count(held) + held.flat().length;
    stream.recent = count(stream.held) < all ? 0 : stream.recent + 1;
    return { stream, before: held, position };
  });
}

/** Every logit of a stream is that of the plain decoder in which a token sees what was held when it ran, and itself. */
export function assertSeenAsHeld({ config, weights }: TinyModel, stream: Stream): void {
  const { tokens, promptLength, before, logits } = stream;
  const sets = new Map(
    [...before].map(([query, held]) => [query, held.map((heads) => heads.map((positions) => new Set(positions)))]),
  );
  const expected = referenceLogits(config, weights, tokens, (layer, head, query, key) =>
    query < promptLength || key === query ? true : (sets.get(query)?.[layer]?.[head]?.has(key) ?? false),
  );
  for (const [position, ours] of logits) {
    assert.ok(maxDifference(ours, expected[position] ?? []) < TOLERANCE, `position ${position}`);
  }
}
