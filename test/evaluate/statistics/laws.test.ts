/** What summaries and comparisons promise, on random results. */
import { describe, expect, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Facets } from "../../../src/evaluate/index.ts";
import { compare } from "../../../src/evaluate/statistics/compare.ts";
import { interval } from "../../../src/evaluate/statistics/interval.ts";
import { summarise } from "../../../src/evaluate/statistics/summarise.ts";
import { faultOf } from "../../support/fault.ts";
import { result } from "../../support/results.ts";
import { holds } from "../../support/seed.ts";

const FEW = { resamples: 100 };

const score = fc.oneof(fc.constantFrom(0, 1, 0.5), fc.double({ min: 0, max: 1, noNaN: true }));

/** Answers of three contenders to the same and to other examples, each pair at most once. */
const answers = fc
  .uniqueArray(
    fc.record({
      example: fc.integer({ min: 0, max: 9 }).map(String),
      method: fc.constantFrom("snapkv", "h2o"),
      budget: fc.constantFrom("64", "128"),
      score,
      kept: fc.integer({ min: 1, max: 128 }),
      length: fc.constantFrom(500, 1000),
    }),
    { selector: ({ example, method, budget }) => `${example} ${method} ${budget}`, minLength: 1, maxLength: 40 },
  )
  .map((all) =>
    all.map(({ length, ...changes }) => result({ key: JSON.stringify(changes), facets: { length }, ...changes })),
  );

const shuffled = answers.chain((all) =>
  fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
);

test("an interval is mirrored when every score is: a loss is as sure as a win", () =>
  holds(fc.array(score, { minLength: 1, maxLength: 20 }), (scores) => {
    const of = (values: readonly number[]) => interval(values, [0, 1], { confidence: 0.9, resamples: 100, seed: 1 });
    const [there, mirrored] = [of(scores), of(scores.map((score) => 1 - score))];
    expect(there.low).toBeCloseTo(1 - mirrored.high, 9);
    expect(there.high).toBeCloseTo(1 - mirrored.low, 9);
  }));

describe("a summary", () => {
  test("does not depend on the order of results", () =>
    holds(shuffled, ([all, others]) => {
      const by = ["method", "length"];
      expect(summarise(others, { ...FEW, by })).toEqual(summarise(all, { ...FEW, by }));
    }));

  test("has every result in one group, and the mean of its group between its bounds", () =>
    holds(answers, (all) => {
      const summaries = summarise(all, FEW);
      expect(summaries.reduce((sum, { count }) => sum + count, 0)).toBe(all.length);
      for (const { group, count, mean, low, high, small, kept } of summaries) {
        const members = all.filter(({ method, budget }) => method === group.method && budget === group.budget);
        expect(members).toHaveLength(count);
        expect(mean).toBeCloseTo(members.reduce((sum, { score }) => sum + score, 0) / count, 12);
        expect(kept).toBeCloseTo(members.reduce((sum, { kept }) => sum + kept, 0) / count, 9);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThan(high);
        expect(low).toBeLessThanOrEqual(mean + 1e-12);
        expect(high).toBeGreaterThanOrEqual(mean - 1e-12);
        expect(small).toBe(count < 30);
      }
    }));

  test("of equal scores is not certain, and less so of fewer", () => {
    const bounds = (score: number, count: number) =>
      summarise(Array.from({ length: count }, () => result({ score })))[0] ?? assert.fail();
    expect(bounds(1, 50)).toMatchObject({ mean: 1, high: 1, small: false });
    expect(bounds(1, 50).low).toBeCloseTo(0.9287, 3);
    expect(bounds(1, 10).low).toBeCloseTo(0.7225, 3);
    expect(bounds(1, 1).low).toBeLessThan(0.21);
    expect(bounds(0, 50)).toMatchObject({ mean: 0, low: 0 });
    expect(bounds(0, 50).high).toBeCloseTo(1 - 0.9287, 3);
    expect(bounds(0.5, 50).low).toBeCloseTo(0.5 * 0.9287, 3);
    expect(bounds(0.5, 50).high).toBeCloseTo(1 - 0.5 * 0.9287, 3);
  });

  test("groups by fields and facets, in the order of their values", () => {
    const one = (budget: string, facets: Record<string, number>) => result({ budget, facets });
    const groups = (by: readonly string[]) =>
      summarise(
        [one("128", { length: 1000 }), one("64", { length: 500 }), one("64", {}), one("1024", { length: 500 })],
        { by },
      ).map(({ group, count }): Facets => ({ ...group, count }));
    expect(groups(["budget"])).toEqual([
      { budget: "64", count: 2 },
      { budget: "128", count: 1 },
      { budget: "1024", count: 1 },
    ]);
    expect(groups(["length", "model"])).toEqual([
      { length: 500, model: "random", count: 2 },
      { length: 1000, model: "random", count: 1 },
      { model: "random", count: 1 },
    ]);
    expect(groups(["methodOptions"])).toEqual([{ methodOptions: JSON.stringify(result().methodOptions), count: 4 }]);
    expect(groups([])).toEqual([{ count: 4 }]);
    expect(summarise([])).toEqual([]);
  });
});

const snapkv = { method: "snapkv", budget: "64" };
const h2o = { method: "h2o", budget: "64" };

/** Both contenders' scores on the same examples, in some order. */
const paired = fc
  .array(fc.tuple(score, score), { minLength: 1, maxLength: 30 })
  .map((pairs) =>
    pairs.flatMap(([a, b], i) => [
      result({ ...snapkv, example: `${i}`, score: a }),
      result({ ...h2o, example: `${i}`, score: b }),
    ]),
  );

describe("a comparison", () => {
  test("of one with itself finds nothing", () =>
    holds(paired, (all) => {
      const { difference, p, wins, losses, ties, pairs, low, high } = compare(all, h2o, h2o, FEW);
      expect({ difference, p, wins, losses, ties }).toEqual({ difference: 0, p: 1, wins: 0, losses: 0, ties: pairs });
      expect(low).toBeLessThan(0);
      expect(high).toBe(-low);
    }));

  test("the other way round is the opposite", () =>
    holds(paired, (all) => {
      const one = compare(all, snapkv, h2o, FEW);
      const other = compare(all, h2o, snapkv, FEW);
      expect(other.difference).toBeCloseTo(-one.difference, 12);
      expect(other.low).toBeCloseTo(-one.high, 9);
      expect(other.high).toBeCloseTo(-one.low, 9);
      expect({ p: other.p, wins: other.wins, losses: other.losses, ties: other.ties, pairs: other.pairs }).toEqual({
        p: one.p,
        wins: one.losses,
        losses: one.wins,
        ties: one.ties,
        pairs: one.pairs,
      });
    }));

  test("does not depend on the order of results, nor on those of others", () =>
    holds(
      paired.chain((all) => {
        const others = [result({ ...h2o, budget: "128" }), result({ method: "full", budget: "all", example: "0" })];
        return fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...others], { minLength: all.length + 2 }));
      }),
      ([all, others]) => expect(compare(others, snapkv, h2o, FEW)).toEqual(compare(all, snapkv, h2o, FEW)),
    ));

  test("pairs examples, and leaves out those that only one answered", () =>
    holds(answers, async (all) => {
      const of = ({ method, budget }: typeof h2o) => all.filter((it) => it.method === method && it.budget === budget);
      const pairs = of(snapkv).flatMap((a) =>
        of(h2o)
          .filter((b) => b.example === a.example)
          .map((b) => a.score - b.score),
      );
      if (pairs.length === 0) return void (await faultOf(() => compare(all, snapkv, h2o)));
      const found = compare(all, snapkv, h2o, FEW);
      expect(found.difference).toBeCloseTo(pairs.reduce((sum, it) => sum + it, 0) / pairs.length, 12);
      expect(found.unpaired).toBe(of(snapkv).length + of(h2o).length - 2 * pairs.length);
      expect([found.pairs, found.wins]).toEqual([pairs.length, pairs.filter((it) => it > 0).length]);
      expect(found.low).toBeGreaterThanOrEqual(-1);
      expect(found.high).toBeLessThanOrEqual(1);
    }));

  test("takes examples of another seed, option, task or model for others", () => {
    const { provenance } = result();
    const others = [
      { seed: 1 },
      { taskOptions: {} },
      { task: "other" },
      { provenance: { ...provenance, weights: "w" } },
      { provenance: { ...provenance, precision: "fast" } },
    ];
    const all = [result(snapkv), result(h2o), ...others.map((it) => result({ ...h2o, ...it }))];
    expect(compare(all, snapkv, h2o)).toMatchObject({ pairs: 1, unpaired: others.length });
  });
});

describe("what cannot be summarised or compared says why:", () => {
  const pair = [result(snapkv), result({ ...h2o, score: 0 })];
  test.each([
    ["a name that no result has", () => summarise(pair, { by: ["lenght"] }), /lenght.* one of task, .*length/],
    ["a score beyond 1", () => summarise([result({ score: 1.5 })]), /score is 1.5, but must be a number from 0 to 1/],
    ["a score that is no number", () => compare([...pair.slice(1), result({ score: Number.NaN })], snapkv, h2o), /NaN/],
    ["a confidence of 1", () => summarise(pair, { confidence: 1 }), /confidence is 1/],
    ["too few resamples", () => compare(pair, snapkv, h2o, { resamples: 0 }), /resamples is 0/],
    ["a seed that is no integer", () => summarise(pair, { seed: 0.5 }), /seed is 0.5/],
    [
      "a contender without results",
      () => compare(pair, snapkv, { method: "full", budget: "all" }),
      /full all.* one of snapkv 64, h2o 64/,
    ],
    ["no results at all", () => compare([], snapkv, h2o), /there are none/],
    [
      "no common example",
      () => compare([result(snapkv), result({ ...h2o, example: "1" })], snapkv, h2o),
      /some of the same examples/,
    ],
    [
      "an example answered twice",
      () => compare([...pair, result({ ...h2o, methodOptions: {} })], snapkv, h2o),
      /needle 0 once/,
    ],
  ])("%s", async (_name, work, message) => {
    const fault = await faultOf(work);
    expect(fault.code).toBe("invalid_option");
    expect(fault.message).toMatch(message);
  });
});
