import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Step } from "../../src/engine/index.ts";
import { plan } from "../../src/engine/onnx/batch/plan.ts";
import { type Context, compress, type KvCache, prefill, retain, snapKV } from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { type TinyModel, tinyModel } from "../support/tiny-model.ts";

let model: TinyModel;
let context: Context;
let small: KvCache;
let ragged: KvCache;

beforeAll(async () => {
  model = await tinyModel({ layers: 2 });
  const method = snapKV({ budget: 12 });
  context = await prefill(
    model,
    Int32Array.from({ length: 40 }, (_, i) => i),
    { observe: [method] },
  );
  small = await compress(context, method);
  ragged = await retain(context, [
    [Int32Array.of(1, 2, 3), Int32Array.of(5)],
    [Int32Array.of(1), Int32Array.of(5)],
  ]);
});
afterAll(() => model[Symbol.dispose]());

const stepsOf = (caches: readonly KvCache[]): readonly Step[] => caches.map((cache) => ({ token: 1, cache }));
const summary = (caches: readonly KvCache[], limits?: Parameters<typeof plan>[1]) =>
  plan(stepsOf(caches), limits).map(({ kind, groups }) => [kind, ...groups.map(({ members }) => members.join())]);

describe("a batch runs", () => {
  test("one sequence on its own", () => expect(summary([small])).toEqual([["alone", "0"]]));
  test("no sequence not at all", () => expect(summary([])).toEqual([]));
  test("forks in place", () => expect(summary([small, small.fork()])).toEqual([["inPlace", "0,1"]]));
  test("forks with unequal heads packed, rather than each with the others' entries masked", () =>
    expect(summary([ragged, ragged.fork()])).toEqual([["packed", "0,1"]]));
  test("different entries packed together, the small ones first, and forks among them once", () =>
    expect(summary([small, context.cache, small.fork(), ragged])).toEqual([["packed", "3", "0,2", "1"]]));

  test("what is too big to hold twice in place, or one by one if it is ragged", () => {
    const caches = [small, context.cache, small.fork(), ragged, ragged.fork(), context.cache.fork()];
    const inPlace = [
      ["alone", "3"],
      ["alone", "4"],
      ["inPlace", "0,2"],
      ["inPlace", "1,5"],
    ];
    expect(summary(caches, { group: 0, packed: 1e9 })).toEqual(inPlace);
    expect(summary(caches, { group: 1e9, packed: 0 })).toEqual(inPlace);
    const packedTwo = [
      ["packed", "3,4", "0,2"],
      ["inPlace", "1,5"],
    ];
    expect(summary(caches, { group: small.bytes, packed: 1e9 })).toEqual(packedTwo);
    expect(summary(caches, { group: 1e9, packed: small.bytes + ragged.bytes })).toEqual(packedTwo);
  });
});

test("a cache that is in a batch twice is refused, and nothing is decoded", async () => {
  const cache = small.fork();
  const fault = await faultOf(() => model.engine.step(stepsOf([cache, ragged, cache])));
  expect({ code: fault.code, path: fault.path }).toEqual({
    code: "invalid_option",
    path: ["step", "batch", 2, "cache"],
  });
  expect(fault.message).toContain("fork it");
  expect(cache.length).toBe(40);
});
