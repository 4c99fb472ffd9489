/** What a store promises, on random results in real files. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import fc from "fast-check";
import { openStore } from "../../../src/evaluate/store/index.ts";
import { anyResult, distinctResults, parted, result } from "../../support/results.ts";
import { holds } from "../../support/seed.ts";
import { all, folder, sorted } from "./helpers.ts";

setDefaultTimeout(60_000);

const draws = fc.array(fc.nat(), { minLength: 12, maxLength: 12 });

test("what was put in comes back to the last bit, after closing and opening", () =>
  holds(
    distinctResults,
    async (results) => {
      await using at = await folder();
      {
        await using store = await openStore(at.at("a.duckdb"));
        expect(await store.append(results)).toBe(results.length);
        expect(await store.keys()).toEqual(new Set(results.map(({ key }) => key)));
      }
      const back = await all(at.at("a.duckdb"));
      expect(sorted(back)).toStrictEqual(sorted(results));
      expect(sorted(back).map(bits)).toEqual(sorted(results).map(bits));
    },
    25,
  ));

const bits = ({
  kept,
  score,
  recall,
  outputError,
}: {
  kept: number;
  score: number;
  recall: readonly number[] | null;
  outputError: readonly number[] | null;
}) =>
  [kept, score, ...(recall ?? []), ...(outputError ?? [])].map(
    (it) => new BigUint64Array(new Float64Array([it]).buffer)[0],
  );

test("the order of results does not depend on the order or the parts they came in", () =>
  holds(
    fc.tuple(distinctResults, draws, fc.integer({ min: 1, max: 3 })),
    async ([results, draws, parts]) => {
      await using one = await openStore();
      await using other = await openStore();
      await one.append(results);
      for (const part of parted(results.toReversed(), parts, draws)) await other.append(part);
      expect(await Array.fromAsync(other.results())).toStrictEqual(await Array.fromAsync(one.results()));
    },
    15,
  ));

test("a key is there once: adding again adds nothing, and what is there stays", () =>
  holds(
    fc.tuple(distinctResults, anyResult),
    async ([results, other]) => {
      await using store = await openStore();
      await store.append(results);
      const before = await Array.fromAsync(store.results());
      expect(await store.append([...results, ...results].map(({ key }) => ({ ...other, key })))).toBe(0);
      expect(await Array.fromAsync(store.results())).toStrictEqual(before);
    },
    15,
  ));

test("of new results with one key, one is kept", async () => {
  await using store = await openStore();
  const twice = [result({ decodeMs: 2 }), result({ decodeMs: 1 })];
  expect(await store.append(twice)).toBe(1);
  await using other = await openStore();
  expect(await other.append(twice.toReversed())).toBe(1);
  expect(await Array.fromAsync(other.results())).toEqual(await Array.fromAsync(store.results()));
});

test("appends at once are all there", async () => {
  await using store = await openStore();
  const batch = (i: number) => Array.from({ length: 5 }, (_, j) => result({ key: `${(i + j) % 10}` }));
  const added = await Promise.all(Array.from({ length: 10 }, (_, i) => store.append(batch(i))));
  expect(added.reduce((sum, count) => sum + count)).toBe(10);
  expect((await store.keys()).size).toBe(10);
});

test("a huge answer and more results than come at once", async () => {
  await using at = await folder();
  const answer = "🦙 \0".repeat(5_000_000);
  const many = Array.from({ length: 5000 }, (_, i) => result({ key: `${i}`, example: `${i}` }));
  {
    await using store = await openStore(at.at("a"));
    expect(await store.append([result({ key: "huge", answer }), ...many])).toBe(5001);
  }
  const back = await all(at.at("a"));
  expect(back).toHaveLength(5001);
  expect(back.find(({ key }) => key === "huge")?.answer === answer).toBe(true);
});

test("a lone surrogate becomes U+FFFD, and only that", async () => {
  await using store = await openStore();
  await store.append([result({ answer: "a\ud800b", facets: { "\udc00": "\\ud800\ud83d\ude00\ud83d" } })]);
  const [back] = await Array.fromAsync(store.results());
  expect(back).toEqual(result({ answer: "a\ufffdb", facets: { "\ufffd": "\\ud800\ud83d\ude00\ufffd" } }));
});

describe("merging", () => {
  test("shards, in any order and again, gives what one run gives", () =>
    holds(
      fc.tuple(distinctResults, draws, fc.integer({ min: 1, max: 3 }), fc.boolean()),
      async ([results, draws, parts, backwards]) => {
        await using at = await folder();
        const paths = [];
        for (const [i, part] of parted(results, parts, draws).entries()) {
          const path = at.at(`shard ${i}'s.duckdb`);
          await using shard = await openStore(path);
          await shard.append(part);
          paths.push(path);
        }
        await using one = await openStore(at.at("one.duckdb"));
        await one.append(results);
        await using whole = await openStore(at.at("whole.duckdb"));
        expect(await whole.merge(backwards ? paths.toReversed() : paths)).toBe(results.length);
        expect(await whole.merge(paths)).toBe(0);
        expect(await Array.fromAsync(whole.results())).toStrictEqual(await Array.fromAsync(one.results()));
      },
      10,
    ));

  test("stores that overlap does not depend on their order", async () => {
    await using at = await folder();
    const paths = ["a", "b"].map(at.at);
    for (const [i, path] of paths.entries()) {
      await using store = await openStore(path);
      await store.append([result({ key: "both", decodeMs: i }), result({ key: path })]);
    }
    await using one = await openStore();
    await using other = await openStore();
    expect(await one.merge(paths)).toBe(3);
    expect(await other.merge(paths.toReversed())).toBe(3);
    expect(await Array.fromAsync(other.results())).toEqual(await Array.fromAsync(one.results()));
  });

  test("takes in all or nothing, and leaves the others as they were", async () => {
    await using at = await folder();
    await writeFile(at.at("text"), "not a store");
    {
      await using good = await openStore(at.at("good"));
      await good.append([result()]);
    }
    const before = await readFile(at.at("good"));
    await using store = await openStore();
    await expect(store.merge([at.at("good"), at.at("text")])).rejects.toMatchObject({ code: "corrupt_file" });
    await expect(store.merge([at.at("good"), at.at("none")])).rejects.toMatchObject({ code: "disk_error" });
    expect((await store.keys()).size).toBe(0);
    expect(await store.merge([at.at("good")])).toBe(1);
    expect(await readFile(at.at("good"))).toEqual(before);
  });
});
