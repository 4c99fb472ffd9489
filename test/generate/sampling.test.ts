import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { leading } from "../../src/generate/leading.ts";
import { drawsFor, type SamplingOptions, sampled } from "../../src/generate/sampling.ts";
import { normals } from "../support/arbitraries.ts";
import { holds, SEED } from "../support/seed.ts";

function make(some: Partial<SamplingOptions>) {
  const options = { temperature: 1, topK: 0, topP: 1, seed: 0, ...some };
  const draw = drawsFor(options);
  return (logits: Float32Array) => sampled(logits, options, draw());
}
const draws = (count: number, logits: Float32Array, options: Partial<SamplingOptions>): number[] => {
  const sample = make(options);
  return Array.from({ length: count }, () => sample(logits));
};
/** Few different values, so that ties are common. */
const logits = fc
  .array(fc.integer({ min: -6, max: 6 }), { minLength: 1, maxLength: 12 })
  .map((values) => Float32Array.from(values, (value) => value / 2));

function softmax(logits: readonly number[], temperature: number): number[] {
  const top = Math.max(...logits);
  const mass = logits.map((logit) => Math.exp((logit - top) / temperature));
  const total = mass.reduce((a, b) => a + b, 0);
  return mass.map((m) => m / total);
}

/** Tokens by falling logit, the lower token first among equals. */
const ranked = (logits: Float32Array): number[] =>
  [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);

const ascending = (tokens: readonly number[]) => [...tokens].sort((a, b) => a - b);

describe("greedy", () => {
  test("takes the largest logit, the lowest token of equal ones", () =>
    holds(logits, (logits) => {
      expect(make({ temperature: 0 })(logits)).toBe(ranked(logits)[0] ?? -1);
    }));

  test("a temperature close to 0 draws as greedy does", () =>
    holds(logits, (logits) => {
      const best = logits[make({ temperature: 0 })(logits)];
      for (const temperature of [1e-3, 1e-300, Number.MIN_VALUE]) {
        for (const token of draws(20, logits, { temperature })) expect(logits[token]).toBe(best);
      }
    }));
});

describe("temperature", () => {
  test.each([0.5, 1, 3])("at %p, frequencies are the softmax", (temperature) => {
    const count = 20_000;
    const logits = Float32Array.of(1, 2.5, -1, 0, 2.5, 1.25);
    const expected = softmax([...logits], temperature);
    const seen = new Array<number>(logits.length).fill(0);
    for (const token of draws(count, logits, { temperature, seed: 7 })) seen[token] = (seen[token] ?? 0) + 1;
    const chiSquare = expected.reduce((sum, p, i) => sum + ((seen[i] ?? 0) - p * count) ** 2 / (p * count), 0);
    expect(chiSquare).toBeLessThan(25.7); // 5 degrees of freedom: exceeded by chance once in 10,000
  });

  test("equal seeds draw equal tokens, other seeds others", () => {
    const logits = new Float32Array(50);
    for (const seed of [0, 1, -7, 2 ** 40]) {
      expect(draws(40, logits, { seed })).toEqual(draws(40, logits, { seed }));
      expect(draws(40, logits, { seed })).not.toEqual(draws(40, logits, { seed: seed + 1 }));
    }
  });
});

describe("topK and topP", () => {
  const weighted = logits.chain((logits) =>
    fc.record({ logits: fc.constant(logits), topK: fc.integer({ min: 1, max: logits.length + 2 }) }),
  );

  test("leading gives the topK most likely, lower tokens first among equals", () =>
    holds(
      weighted,
      ({ logits, topK }) => {
        const ones = new Float64Array(logits.length).fill(1);
        const chosen = leading([...logits.keys()], logits, ones, topK);
        expect(ascending(chosen)).toEqual(ascending(ranked(logits).slice(0, topK)));
      },
      500,
    ));

  const shared = fc.record({
    logits,
    topK: fc.integer({ min: 0, max: 8 }),
    topP: fc.double({ min: 0.01, max: 1, noNaN: true }),
    temperature: fc.constantFrom(0.5, 1, 4),
  });

  /** What may be drawn, by sorting; null where rounding decides. */
  function support({
    logits,
    topK,
    topP,
    temperature,
  }: typeof shared extends fc.Arbitrary<infer Options> ? Options : never): number[] | null {
    const order = ranked(logits).slice(0, topK === 0 ? undefined : topK);
    const shares = softmax(
      order.map((token) => logits[token] ?? 0),
      temperature,
    );
    let reached = 0;
    for (const [i, share] of shares.entries()) {
      reached += share;
      if (topP < 1 && Math.abs(reached - topP) < 1e-9) return null;
      if (reached > topP) return order.slice(0, i + 1);
    }
    return order;
  }

  test("nothing else is drawn, and everything likely enough is", () =>
    holds(
      shared,
      (options) => {
        const allowed = support(options);
        fc.pre(allowed !== null);
        const seen = new Set(draws(400, options.logits, { ...options, seed: SEED }));
        const among = allowed ?? [];
        const shares = softmax(
          among.map((token) => options.logits[token] ?? 0),
          options.temperature,
        );
        for (const token of seen) expect(among).toContain(token);
        for (const [i, token] of among.entries()) if ((shares[i] ?? 0) > 0.06) expect(seen).toContain(token);
      },
      300,
    ));

  test("a tiny topP draws as greedy does", () =>
    holds(logits, (logits) => {
      const greedy = make({ temperature: 0 })(logits);
      expect(new Set(draws(20, logits, { topP: 1e-12 }))).toEqual(new Set([greedy]));
      expect(new Set(draws(20, logits, { topK: 1 }))).toEqual(new Set([greedy]));
    }));
});

describe("logits that are no numbers", () => {
  const { NaN: nan, NEGATIVE_INFINITY: never, POSITIVE_INFINITY: sure } = Number;
  const limits = [{}, { topK: 2 }, { topP: 0.5 }, { topK: 2, topP: 0.9 }, { temperature: 0 }, { temperature: 100 }];

  test.each(limits)("-Infinity and NaN are never drawn: %j", (options) => {
    const logits = Float32Array.of(nan, never, 1, never, 2, nan);
    for (const token of draws(200, logits, options)) expect([2, 4]).toContain(token);
  });

  test.each(limits)("+Infinity always is: %j", (options) => {
    expect(new Set(draws(50, Float32Array.of(1, never, sure, nan), options))).toEqual(new Set([2]));
  });

  test.each(limits)("where there is nothing else, a token comes all the same: %j", (options) => {
    for (const logits of [Float32Array.of(nan, nan), Float32Array.of(never, never)])
      expect(draws(3, logits, options)).toEqual([0, 0, 0]);
  });
});

test("a draw from a large vocabulary sorts nothing: it takes a few passes", () => {
  const logits = normals(SEED, 49_152).data.map((x) => 3 * x);
  for (const options of [{}, { topK: 50 }, { topP: 0.9 }, { temperature: 100, topP: 0.9 }]) {
    const sample = make(options);
    const order = () => Int32Array.from(logits.keys()).sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
    // In turns and by the fastest of each, so that a busy machine slows both sides: 0.6 to 1.6 ms against 17 to 26.
    const [draw = Number.NaN, sort = Number.NaN] = fastest(20, () => sample(logits), order);
    expect(draw).toBeLessThan(sort / 2);
  }
});

/** Milliseconds of the fastest run of each, of `rounds` taken in turns. */
function fastest(rounds: number, ...works: readonly (() => unknown)[]): number[] {
  const best = works.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [i, work] of works.entries()) {
      const started = performance.now();
      work();
      best[i] = Math.min(best[i] ?? 0, performance.now() - started);
    }
  }
  return best;
}
