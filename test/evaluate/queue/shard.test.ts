import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseShard, shard, shardOf } from "../../../src/evaluate/queue/index.ts";
import { faultOf } from "../../support/fault.ts";
import { holds } from "../../support/seed.ts";

const jobs = fc.uniqueArray(fc.string(), { maxLength: 60 }).map((keys) => keys.map((key) => ({ key })));
const count = fc.integer({ min: 1, max: 9 });
const shards = (all: readonly { key: string }[], count: number) =>
  Array.from({ length: count }, (_, i) => shard(all, i + 1, count));

describe("shards", () => {
  test("hold every job once, each in the order of all", () =>
    holds(fc.tuple(jobs, count), ([all, count]) => {
      const parts = shards(all, count);
      expect(parts.flat().toSorted((a, b) => all.indexOf(a) - all.indexOf(b))).toEqual([...all]);
      for (const part of parts) expect(part).toEqual(all.filter((job) => part.includes(job)));
    }));

  test("keep their jobs when others are added", () =>
    holds(fc.tuple(jobs, jobs, count), ([some, others, count]) => {
      const more = [...others.filter(({ key }) => !some.some((job) => job.key === key)), ...some];
      for (const [i, part] of shards(some, count).entries())
        expect(shard(more, i + 1, count)).toEqual(expect.arrayContaining([...part]));
    }));

  test("are about equal", () => {
    const all = Array.from({ length: 5000 }, (_, i) => ({ key: `example ${i}` }));
    for (const part of shards(all, 5)) expect(Math.abs(part.length - 1000)).toBeLessThan(120);
  });

  // 1 + int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big") % 1000
  test("are those of Python's SHA-256, and so the same on every machine and in every version", () => {
    expect(["a", "b", "c", "é"].map((key) => shardOf(key, 1000))).toEqual([700, 434, 153, 44]);
  });
});

describe("a shard in words", () => {
  test("is read back", () =>
    holds(
      fc
        .integer({ min: 1, max: 999_999 })
        .chain((count) => fc.tuple(fc.integer({ min: 1, max: count }), fc.constant(count))),
      ([index, count]) => expect(parseShard(`${index}/${count}`)).toEqual({ index, count }),
    ));

  test.each([
    "",
    "2",
    "2/",
    "/5",
    "0/5",
    "6/5",
    "1/0",
    "0/0",
    "-1/5",
    "1.5/5",
    "2/5/7",
    " 2/5",
    "a/b",
    "1e1/20",
    "２/5",
    "1/9999999",
  ])("%p is refused", async (text) => {
    expect(await faultOf(() => parseShard(text))).toMatchObject({
      code: "invalid_option",
      path: ["shard"],
      found: text,
    });
  });

  test.each([
    [0, 5],
    [6, 5],
    [1, 0],
    [1.5, 5],
    [Number.NaN, 5],
    [1, Number.POSITIVE_INFINITY],
  ])("%p of %p is refused", async (index, count) => {
    expect(await faultOf(() => shard([], index, count))).toMatchObject({ code: "invalid_option" });
  });
});
