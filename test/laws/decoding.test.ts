/** Every registered decoding policy: what goes is gone, for this cache alone, whatever is decoded beside it. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import {
  compress,
  definePolicy,
  everySteps,
  full,
  generate,
  generateBatch,
  type HeldEntries,
  type MethodFactory,
  type Model,
  type PolicyFactory,
  policies,
  prefill,
  snapKV,
  tova,
} from "../../src/index.ts";
import { keptBytes, tailBytes } from "../support/cache-bytes.ts";
import { faultOf } from "../support/fault.ts";
import { smallestBudget } from "../support/method-laws.ts";
import { onNetworks } from "../support/network-laws.ts";
import { assertSeenAsHeld, heldBy, onStreams } from "../support/streams.ts";
import { tinyModel } from "../support/tiny-model.ts";

/** Evicts nothing for a few tokens, then whatever, even the newest, down to the budget: what other policies may do. */
function chosen({ layer, kvHead, positions, excess }: HeldEntries): readonly number[] {
  if (excess < 3) return [];
  const order = (place: number) => ((positions[place] ?? 0) * 37 + layer * 11 + kvHead * 5) % 101;
  const places = Array.from(positions.keys()).sort((a, b) => order(a) - order(b) || a - b);
  return places.slice(0, excess);
}

const whatever = definePolicy("whatever", { options: {} }, () => chosen);

test("a policy may let any entries go, at any token, and a token attends to what was held before it", () =>
  onStreams(whatever, {
    after: ({ stream: { policy, held }, before, position }, { streams }) => {
      for (const [layer, heads] of before.entries()) {
        for (const [head, earlier] of heads.entries()) {
          const possible = Int32Array.from([...earlier, position]);
          const excess = policy === null ? 0 : possible.length - policy.target(position + 1);
          const gone = new Set(excess > 0 ? chosen({ layer, kvHead: head, positions: possible, excess }) : []);
          assert.deepEqual(
            held[layer]?.[head],
            [...possible].filter((_, place) => !gone.has(place)),
          );
        }
      }
      for (const { cache, held } of streams) assert.deepEqual(heldBy(cache), held);
    },
    end: ({ model, streams }) => {
      for (const stream of streams) assertSeenAsHeld(model, stream);
    },
  }));

test.each([[[5, 5]], [[-1]], [[0.5]], [[1000]]])("a policy that names the places %p is refused", async (places) => {
  using model = await tinyModel({ layers: 1 });
  using context = await prefill(
    model,
    Int32Array.from({ length: 20 }, (_, i) => i),
  );
  const evict = definePolicy("wrong", { options: {} }, () => () => places)({ budget: 8 });
  const before = heldBy(context.cache);
  const fault = await faultOf(() => context.cache.evict(evict, model.engine));
  assert.deepEqual({ code: fault.code, found: fault.found }, { code: "wrong_shape", found: places });
  assert.deepEqual(heldBy(context.cache), before);
});

interface Subject {
  readonly factory: PolicyFactory<{ readonly budget: number }>;
  /** Entries that a head may hold beyond its budget between two evictions. */
  readonly slack: number;
  /** Whether it works on models with a sliding window. */
  readonly sliding: boolean;
}

const subjects: Readonly<Record<string, Subject>> = {
  ...Object.fromEntries(
    Object.entries(policies).map(([name, factory]) => [name, { factory, slack: 0, sliding: true }]),
  ),
  "everysteps, snapkv": { factory: (options) => everySteps(snapKV(options), { every: 8 }), slack: 8, sliding: false },
  "everysteps, tova": { factory: (options) => everySteps(tova(options), { every: 3 }), slack: 3, sliding: false },
};

for (const [name, { factory, slack, sliding }] of Object.entries(subjects)) {
  describe(name, () => {
    const suits = (model: Model) => sliding || model.config.slidingWindow.every((window) => window === null);
    /** Keeps everything of the prompt, and sees of it what the policy needs. */
    const watched: MethodFactory = (options) => ({ ...full(), needs: factory(options).needs });
    test("after every token a head holds what it held and the token, less what is above the budget", () =>
      onStreams(
        factory,
        {
          after: ({ stream: { cache, policy, held }, before, position }) => {
            const budget = policy?.target(position + 1) ?? Number.POSITIVE_INFINITY;
            for (const [layer, heads] of before.entries()) {
              for (const [head, earlier] of heads.entries()) {
                const now = held[layer]?.[head] ?? [];
                const grown = now.length > earlier.length;
                assert.equal(now.length, grown ? earlier.length + 1 : budget);
                if (grown && slack === 0) assert.ok(now.length <= budget);
                assert.equal(cache.lengths[layer]?.[head], now.length);
                const possible = new Set([...earlier, position]);
                assert.ok(now.every((kept, i) => possible.has(kept) && kept > (now[i - 1] ?? -1)));
              }
            }
          },
        },
        { sliding },
      ));

    test("a token attends to what was held before it, and to nothing else: alone, in batches, and as a fork", () =>
      onStreams(
        factory,
        {
          end: ({ model, streams }) => {
            for (const stream of streams) assertSeenAsHeld(model, stream);
          },
        },
        { sliding },
      ));

    test("what one cache lets go of, its forks and originals keep", () =>
      onStreams(
        factory,
        {
          after: (_, { streams }) => {
            for (const { cache, held } of streams) assert.deepEqual(heldBy(cache), held);
          },
        },
        { sliding },
      ));

    test("memory is what is held, and a tail's pages for the tokens since the last eviction, after every token", () =>
      onStreams(
        factory,
        {
          after: ({ stream: { cache, held, recent } }, { model }) => {
            const kept = held.map((heads) => heads.map(({ length }) => length - recent));
            assert.equal(cache.bytes, keptBytes(model, kept) + tailBytes(model, recent));
          },
        },
        { sliding },
      ));

    test("a budget that is not exceeded when the last token runs changes no token", () =>
      onNetworks(watched, async ({ model, context }) => {
        if (!suits(model)) return;
        const options = { maxNewTokens: 20, temperature: 1.5 };
        const evict = factory({ budget: context.length + 18 });
        const { tokens } = await generate(model, context.cache, options);
        assert.deepEqual((await generate(model, context.cache, { ...options, evict })).tokens, tokens);
      }));

    test("a batch of generations gives each what it would be given alone, and leaves the caches as they are", () =>
      onNetworks(
        watched,
        async ({ model, context, next }) => {
          if (!suits(model)) return;
          using other = await prefill(model, Int32Array.from([...context.tokens, ...next]), {
            observe: [watched({ budget: 12 })],
          });
          using whole = await compress(context, full());
          const caches = [whole, other.cache, whole];
          const options = {
            maxNewTokens: 24,
            temperature: 1.5,
            evict: factory({ budget: smallestBudget(factory) + 3 }),
          };
          const before = caches.map(heldBy);
          const results = await generateBatch(model, caches, options);
          for (const [i, cache] of caches.entries()) {
            assert.deepEqual(results[i], await generate(model, cache, { ...options, seed: i }));
          }
          assert.deepEqual(caches.map(heldBy), before);
        },
        10,
      ));
  });
}
