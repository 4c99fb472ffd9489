/** Whatever is put together obeys the laws: any scores under any schedule, in any wrappers, with any policy while decoding. */
import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Context, compress, generate, KvError, prefill, step } from "../../src/index.ts";
import { combinations, combined, isCompact, policiesOf, wrapped, wrappings } from "../support/combinations.ts";
import { maxDifference } from "../support/golden.ts";
import { assertMethodLaw, methodLaws, smallestBudget } from "../support/method-laws.ts";
import { TOLERANCE } from "../support/network-laws.ts";
import { sum } from "../support/numbers.ts";
import { holds } from "../support/seed.ts";
import { sharedModel } from "../support/tiny-model.ts";

describe("any scores under any schedule", () => {
  for (const law of methodLaws)
    test(law, () => holds(combinations, (one) => assertMethodLaw(law, combined(one), { runs: 3 }), 40));
});

const token = fc.integer({ min: 0, max: 63 });
const trials = fc.record({
  combination: combinations,
  wrapping: wrappings,
  policy: fc.constantFrom(...Object.keys(policiesOf), null),
  shape: fc.constantFrom(
    { layers: 2, queryHeads: 4, kvHeads: 2, headDim: 16 },
    { layers: 3, queryHeads: 3, kvHeads: 1, headDim: 8 },
  ),
  seed: fc.integer({ min: 1, max: 2 }),
  tokens: fc.array(token, { minLength: 30, maxLength: 60 }),
  spare: fc.integer({ min: 1, max: 14 }),
  next: fc.array(token, { minLength: 2, maxLength: 5 }),
});

type Trial = typeof trials extends fc.Arbitrary<infer T> ? T : never;

/** A prompt on a tiny model, with what the combination needs of it, and a budget that evicts something. */
async function prepared({ combination, wrapping, policy, shape, seed, tokens, spare }: Trial) {
  const factory = combined(combination);
  const model = await sharedModel(shape, seed);
  const least = smallestBudget(factory);
  const budget = least + spare;
  const prompt = Int32Array.from([...tokens, ...tokens].slice(0, Math.max(tokens.length, budget + 8)));
  const plain = factory({ budget });
  const method = wrapped(plain, wrapping);
  const evict = policy === null ? undefined : policiesOf[policy]?.(budget);
  const observe = [method, ...(evict === undefined ? [] : [evict])];
  const context = await prefill(model, prompt, { observe });
  return { model, factory, plain, method, budget, evict, context };
}

const tokensOf = async (context: Context, method: Awaited<ReturnType<typeof prepared>>["method"]) => {
  using cache = await compress(context, method);
  return (await generate(context.model, cache, { maxNewTokens: 4 })).tokens;
};

describe("any scores under any schedule in any wrappers", () => {
  test("hold what the method chose, share nothing with forks, and are the same every time", () =>
    holds(
      trials,
      async (trial) => {
        const { plain, method, budget, context } = await prepared(trial);
        using _ = context;
        using chosen = await compress(context, plain);
        using cache = await compress(context, method);
        const { layers, kvHeads } = context.model.config;
        assert.equal(sum(cache.lengths.flat()), Math.min(budget, context.length) * layers * kvHeads);
        assert.deepEqual(cache.lengths, chosen.lengths);
        const origins = (of: typeof cache) => of.lengths.map((heads, l) => heads.map((_, h) => of.origins(l, h)));
        assert.deepEqual(origins(cache), origins(chosen));
        if (isCompact(trial.wrapping) && context.length > 40 && !trial.wrapping.includes("miniCache"))
          assert.ok(cache.bytes <= chosen.bytes + 4 * layers * kvHeads * 64);
        const before = { lengths: cache.lengths, bytes: cache.bytes, logits: cache.logits.slice() };
        using fork = cache.fork();
        for (const next of trial.next) await step(context.model, fork, next);
        assert.deepEqual({ lengths: cache.lengths, bytes: cache.bytes, logits: cache.logits }, before);
        assert.deepEqual(await tokensOf(context, method), await tokensOf(context, method));
      },
      60,
    ));

  test("that store what they keep in fp32 are full attention at a budget of the whole prompt", () =>
    holds(
      trials.filter(({ wrapping }) => !isCompact(wrapping)),
      async (trial) => {
        const { model, factory, context } = await prepared(trial);
        using _ = context;
        using whole = context.cache.fork();
        using cache = await compress(context, wrapped(factory({ budget: context.length + 50 }), trial.wrapping));
        for (const next of trial.next)
          assert.ok(maxDifference(await step(model, cache, next), await step(model, whole, next)) < TOLERANCE);
      },
      40,
    ));

  test("go on under any policy in bounded memory, or say why they do not", () =>
    holds(
      trials.filter(({ policy }) => policy !== null),
      async (trial) => {
        const { model, method, budget, evict, context } = await prepared(trial);
        using _ = context;
        using cache = await compress(context, method);
        const more = Math.max(4, 3 * trial.next.length);
        const run = generate(model, cache, { maxNewTokens: more, ...(evict === undefined ? {} : { evict }) });
        const refused = await run.then(
          () => null,
          (fault: unknown) => fault,
        );
        if (refused !== null) {
          // Compact entries cannot go one by one; what packed ones received of the prompt is known by other positions.
          const codes = ["invalid_option", "observation_missing"];
          assert.ok(refused instanceof KvError && codes.includes(refused.code), String(refused));
          assert.ok(isCompact(trial.wrapping) || trial.wrapping.includes("packed"), String(refused));
          return;
        }
        assert.ok(!isCompact(trial.wrapping));
        // A run of `everySteps` comes every second token; between two of them what is new stays.
        const most = Math.max(...cache.lengths.flat());
        const uneven = Math.max(...(await kept(context, method)).flat());
        assert.ok(most <= Math.max(budget + 2, uneven), `${most} entries of a head`);
      },
      40,
    ));
});

async function kept(context: Context, method: Awaited<ReturnType<typeof prepared>>["method"]) {
  using cache = await compress(context, method);
  return cache.lengths;
}
