import { describe, expect, test } from "bun:test";
import { PromptCache } from "../../src/cache/prompt.ts";
import { faultOf } from "../support/fault.ts";

const geometry = { layers: 2, kvHeads: 2, headDim: 1 };
/** Keys and values that say whose they are: layer, side, head, token. */
const chunk = (from: number, count: number) =>
  Float32Array.from(
    [0, 100, 1000, 1100].flatMap((side) =>
      Array.from({ length: 2 * count }, (_, i) => side + 10 * Math.floor(i / count) + from + (i % count)),
    ),
  );

describe.each([1, 4, 100])("a prompt's cache with room for %i", (capacity) => {
  test("holds its chunks head by head, at their positions, and goes on after an eviction", () => {
    const cache = new PromptCache(geometry, capacity);
    cache.append(chunk(0, 1), 1);
    cache.append(chunk(1, 3), 3);
    const [low, high] = cache.layers();
    expect([...(low?.keys ?? [])]).toEqual([0, 1, 2, 3, 10, 11, 12, 13]);
    expect([...(high?.values ?? [])]).toEqual([1100, 1101, 1102, 1103, 1110, 1111, 1112, 1113]);
    expect([...(high?.positions ?? [])]).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    expect(high?.positions).toBe(low?.positions as Int32Array);

    cache.retain([
      [Int32Array.of(1, 3), Int32Array.of(0, 2)],
      [Int32Array.of(2, 3), Int32Array.of(0, 1)],
    ]);
    cache.append(chunk(4, 1), 1);
    expect({ length: cache.length, position: cache.position }).toEqual({ length: 3, position: 5 });
    const after = cache.layers();
    expect(after.map(({ keys }) => [...keys])).toEqual([
      [1, 3, 4, 10, 12, 14],
      [1002, 1003, 1004, 1010, 1011, 1014],
    ]);
    expect(after.map(({ values }) => [...values])).toEqual([
      [101, 103, 104, 110, 112, 114],
      [1102, 1103, 1104, 1110, 1111, 1114],
    ]);
    expect(after.map(({ positions }) => [...positions])).toEqual([
      [1, 3, 4, 0, 2, 4],
      [2, 3, 4, 0, 1, 4],
    ]);
    expect(after.map(({ offsets }) => [...offsets])).toEqual([
      [0, 3, 6],
      [0, 3, 6],
    ]);
  });
});

test("a prompt's cache keeps equally many everywhere, or says so", async () => {
  const cache = new PromptCache(geometry, 4);
  cache.append(chunk(0, 4), 4);
  const [one, two] = [Int32Array.of(0), Int32Array.of(0, 1)];
  for (const selection of [
    [
      [one, two],
      [one, one],
    ],
    [
      [one, one],
      [two, two],
    ],
    [[one, one]],
    [[one], [one]],
  ])
    expect((await faultOf(() => cache.retain(selection))).code).toBe("wrong_shape");
  expect(cache.length).toBe(4);
});
