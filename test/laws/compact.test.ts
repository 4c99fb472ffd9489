/** Compact forms under whole networks: what the graph reads is what the cache stands for, and memory is what it says. */
import { describe, expect, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { channelsOf, layoutsOf } from "../../src/cache/compact/form.ts";
import { headLength } from "../../src/cache/layer.ts";
import {
  adaKV,
  compress,
  extend,
  full,
  type KvCache,
  type Method,
  miniCache,
  prefill,
  pyramidKV,
  quantised,
  snapKV,
  step,
  type TokenSight,
  thinK,
  window,
} from "../../src/index.ts";
import { keptBytes, tailBytes } from "../support/cache-bytes.ts";
import { inFp32 } from "../support/compact.ts";
import { maxDifference } from "../support/golden.ts";
import { assertNetworkLaw, TOLERANCE } from "../support/network-laws.ts";
import type { NetworkKind, Windows } from "../support/random-model.ts";
import { holds } from "../support/seed.ts";
import { sharedModel } from "../support/tiny-model.ts";

const token = fc.integer({ min: 0, max: 63 });
const selections = { full, window, snapKV, adaKV, pyramidKV };
const [BLOCK, FLOAT] = [32, 4];

const trials = fc.record({
  shape: fc.record({
    layers: fc.integer({ min: 1, max: 2 }),
    heads: fc.constantFrom([4, 2] as const, [4, 4] as const, [6, 2] as const, [3, 1] as const),
    headDim: fc.constantFrom(8, 64),
    slidingWindow: fc.constantFrom<Windows>(null, null, 40, [40, null]),
    kind: fc.constantFrom<NetworkKind>("llama", "biased", "normed", "gemma"),
  }),
  prompt: fc.array(token, { minLength: 12, maxLength: 150, size: "max" }),
  selection: fc.constantFrom(
    "full" as const,
    "window" as const,
    "snapKV" as const,
    "adaKV" as const,
    "adaKV" as const,
    "pyramidKV" as const,
  ),
  /** No double, which is 0 more often than not: most budgets should leave older entries, in ragged layers too. */
  share: fc.constantFrom(0, 0.3, 0.5, 0.7, 0.9),
  form: fc.record({
    bits: fc.constantFrom(8 as const, 4 as const, 2 as const, null, null),
    think: fc.option(fc.record({ keep: fc.constantFrom(0.1, 0.6, 1), window: fc.constantFrom(1, 8, 32) })),
    recent: fc.constantFrom(1, 7, 32),
  }),
  /** In place of the form. */
  across: fc.option(fc.constantFrom({ from: 0, retention: 0 }, { from: 0, retention: 0.3, recent: 4 }), { freq: 3 }),
  /** Few, or enough for generated entries to settle, once or twice. */
  next: fc.oneof(
    fc.array(token, { minLength: 1, maxLength: 5 }),
    fc.array(token, { minLength: 33, maxLength: 70, size: "max" }),
  ),
});

type Trial = typeof trials extends fc.Arbitrary<infer T> ? T : never;

/** The method of a trial, without its form and with it. */
function methodsOf({ selection, share, prompt, form, across }: Trial): readonly [Method, Method] {
  const plain = selections[selection]({ budget: 9 + Math.floor(share * prompt.length) });
  if (across !== null) return [plain, miniCache(plain, across)];
  const { bits, think, recent } = form;
  const pruned = think === null ? plain : thinK(plain, think);
  return [plain, bits === null ? pruned : quantised(pruned, { bits, recent })];
}

async function onCompact(
  law: (caches: { plain: KvCache; compact: KvCache }, trial: Trial, method: Method) => Promise<void>,
  runs = 40,
) {
  await holds(
    trials,
    async (trial) => {
      const model = await modelOf(trial);
      const [plainMethod, method] = methodsOf(trial);
      using context = await prefill(model, Int32Array.from(trial.prompt), { observe: [method] });
      using plain = await compress(context, plainMethod);
      using compact = await compress(context, method);
      await law({ plain, compact }, trial, method);
    },
    runs,
  );
}

const modelOf = ({ shape: { heads, ...rest } }: Trial) =>
  sharedModel({ ...rest, queryHeads: heads[0], kvHeads: heads[1] }, 1);

/** A cache that writes down what it is shown. */
function watched(cache: KvCache): { readonly cache: KvCache; readonly sights: TokenSight[] } {
  const sights: TokenSight[] = [];
  const { append, advance } = cache;
  cache.append = (entries, logits, sight) => {
    if (sight !== undefined) sights.push(sight);
    append.call(cache, entries, logits, sight);
  };
  cache.advance = (logits, sight) => {
    if (sight !== undefined) sights.push(sight);
    return advance.call(cache, logits, sight);
  };
  return { cache, sights };
}

/** What a cache's entries stand for, wherever they are. */
async function twinOf(cache: KvCache): Promise<KvCache> {
  using copy = await cache.inMemory();
  return inFp32(copy);
}

/** Where the entries of a head lie, by their positions, and the next token after them. */
function oldestFirst({ compact, places, added, length }: KvCache, layer: number, head: number): readonly number[] {
  const kept = [compact?.layers[layer], places[layer]].flatMap((part) => [
    ...(part?.positions.subarray(part.offsets[head], part.offsets[head + 1]) ?? []),
  ]);
  const all = [...kept, ...Array.from({ length: added + 1 }, (_, i) => length - added + i)];
  return [...all.keys()].sort((a, b) => (all[a] ?? 0) - (all[b] ?? 0));
}

describe("a cache with compact entries", () => {
  test("decodes as one that holds in fp32 what its entries stand for, generated ones too", () =>
    onCompact(async ({ compact }, trial) => {
      const model = await modelOf(trial);
      for (const next of trial.next) {
        // What is new is fp32 in both: the steps after a settling, and some more, are enough.
        if (compact.added % 16 > 1) {
          await step(model, compact, next);
          continue;
        }
        using twin = await twinOf(compact);
        const expected = await step(model, twin, next);
        assert.ok(maxDifference(await step(model, compact, next), expected) < TOLERANCE);
      }
    }));

  test("holds the positions of the same cache in fp32, and goes on at the same one", () =>
    onCompact(async ({ plain, compact }, trial) => {
      const model = await modelOf(trial);
      for (const next of trial.next) {
        for (const cache of [plain, compact]) await step(model, cache, next);
        assert.deepEqual(compact.lengths, plain.lengths);
        assert.equal(compact.length, plain.length);
      }
      for (const [layer, heads] of plain.lengths.entries())
        for (const head of heads.keys()) assert.deepEqual(compact.positions(layer, head), plain.positions(layer, head));
    }));

  test("takes as many bytes as its form says, and keeps few entries in fp32 however many come", () =>
    onCompact(async ({ compact }, trial, { form, crossLayer }) => {
      const model = await modelOf(trial);
      const { layers, kvHeads, headDim } = model.config;
      const { bits = null, recent = 0, channels = null } = form ?? {};
      const width = channels === null ? headDim : Math.max(1, Math.round(channels.keep * headDim));
      const groups = headDim / Math.min(headDim, 32);
      const unquantised = crossLayer === undefined ? (width + headDim) * FLOAT : (headDim + 2) * FLOAT; // half of what two layers share
      const olderEntry = bits === null ? unquantised : ((width + headDim) * bits) / 8 + groups * 2 * FLOAT;
      const block = bits === null ? 0 : width * 2 * FLOAT;
      const list = channels === null ? 0 : layers * kvHeads * width * FLOAT;
      for (const next of [null, ...trial.next]) {
        if (next !== null) await step(model, compact, next);
        const { added, lengths, bytes, places } = compact;
        const onDevice = compact.device !== null;
        const older = (compact.compact?.layers ?? []).reduce((sum, { positions }) => sum + positions.length, 0);
        const newer = places.map((entries) => Array.from({ length: kvHeads }, (_, head) => headLength(entries, head)));
        const inFull = keptBytes(model, newer, onDevice) + (next === null ? 0 : tailBytes(model, added, onDevice));
        assert.equal(bytes, older * olderEntry + (older / BLOCK) * block + list + inFull);
        if (bits === null) continue;
        assert.ok(added < BLOCK);
        for (const [layer, counts] of newer.entries())
          for (const [head, held] of counts.entries())
            assert.ok(held < recent + BLOCK && held >= Math.min(recent, (lengths[layer]?.[head] ?? 0) - added));
      }
    }));

  test("is extended by many tokens as by one after another", () =>
    onCompact(async ({ compact }, trial) => {
      const model = await modelOf(trial);
      using stepped = compact.fork();
      for (const next of trial.next) await step(model, stepped, next);
      const chunk = 1 + (trial.prompt.length % 50);
      await extend(model, compact, Int32Array.from(trial.next), { chunk });
      for (const next of [1, 2]) {
        assert.ok(maxDifference(compact.logits, stepped.logits) < TOLERANCE);
        assert.deepEqual(compact.lengths, stepped.lengths);
        assert.equal(compact.bytes, stepped.bytes);
        for (const cache of [stepped, compact]) await step(model, cache, next);
      }
    }));

  test("shows what a token attends to as one that holds in fp32 what its entries stand for", () =>
    onCompact(async ({ compact }, trial) => {
      const model = await modelOf(trial);
      using twin = await twinOf(compact);
      const order = compact.lengths.map((heads, layer) => heads.map((_, head) => oldestFirst(compact, layer, head)));
      const shown = [compact, twin].map((cache) => watched(cache));
      for (const { cache } of shown) await model.engine.step([{ token: 5, cache, sees: "attention" }]);
      const [found, expected] = shown.map(({ sights }) => sights.at(-1)?.attention ?? []);
      assert.equal(found?.length, trial.shape.layers);
      for (const [layer, heads] of (expected ?? []).entries())
        for (const [head, masses] of heads.entries()) {
          const own: Float32Array = found?.[layer]?.[head] ?? new Float32Array(0);
          const sorted: Float32Array = Float32Array.from(order[layer]?.[head] ?? [], (i): number => own[i] ?? 9);
          assert.ok(maxDifference(sorted, masses) < TOLERANCE);
        }
    }, 40));

  test("never changes with a fork of it, also when generated entries settle", () =>
    onCompact(async ({ compact }, trial) => {
      const model = await modelOf(trial);
      using reference = compact.fork();
      const more = [...trial.next, 5, 8, 13];
      const expected: Float32Array[] = [];
      for (const next of more) expected.push(await step(model, reference, next));
      using fork = compact.fork();
      for (const [i, next] of more.entries()) {
        await step(model, fork, 63 - next);
        assert.deepEqual(await step(model, compact, next), expected[i]);
      }
    }, 20));

  test("beside others in a batch decodes as alone, and so do they", () =>
    onCompact(async ({ plain, compact }, trial) => {
      const model = await modelOf(trial);
      const together = [plain.fork(), compact.fork(), compact.fork(), plain.fork()];
      for (const next of trial.next) {
        const batch = await model.engine.step(together.map((cache) => ({ token: next, cache })));
        const alone = [await step(model, plain, next), await step(model, compact, next)];
        for (const [i, logits] of batch.entries())
          assert.ok(maxDifference(logits, alone[i % 3 === 0 ? 0 : 1] ?? []) < TOLERANCE);
      }
    }, 20));
});

describe("thinK", () => {
  test("is attention to keys whose other channels are 0, but for the newest", () =>
    onCompact(async ({ plain, compact }, trial, { form }) => {
      if (form?.channels == null || form.bits !== null) return;
      const model = await modelOf(trial);
      const { headDim, kvHeads } = model.config;
      const held = compact.compact;
      assert.ok(held !== null);
      expect(layoutsOf(held.form, model.config).keys.width).toBe(Math.max(1, Math.round(form.channels.keep * headDim)));
      const zeroed = await twinOf(plain);
      for (const [layer, { keys, offsets }] of zeroed.layers.entries()) {
        const own = keys.slice();
        for (let head = 0; head < kvHeads; head++) {
          const kept = new Set(channelsOf(held.form, model.config, layer, head));
          const [from = 0, to = 0] = offsets.subarray(head, head + 2);
          for (let row = from; row < to - form.recent; row++)
            for (let c = 0; c < headDim; c++) if (!kept.has(c)) own[row * headDim + c] = 0;
        }
        keys.set(own);
      }
      for (const next of trial.next) {
        const expected = await step(model, zeroed, next);
        assert.ok(maxDifference(await step(model, compact, next), expected) < TOLERANCE);
      }
    }, 40));

  test("with all channels is the method itself", () =>
    onCompact(async ({ plain, compact }, trial, { form }) => {
      if (form?.channels?.keep !== 1 || form.bits !== null) return;
      const model = await modelOf(trial);
      for (const next of trial.next)
        assert.ok(maxDifference(await step(model, compact, next), await step(model, plain, next)) < TOLERANCE);
    }, 40));
});

/** What every method must obey, where it does not compare with fp32 or count its bytes. */
const LAWS = [
  "decoding appends every token at its true position",
  "a fork never changes its original",
  "sequences in one batch decode as they do alone",
  "a prompt's context gives the same however often it is compressed",
];

for (const [name, factory] of Object.entries({
  "quantised(adaKV)": quantised(adaKV, { bits: 4, recent: 2 }),
  "miniCache(adaKV)": miniCache(adaKV, { recent: 2 }),
  "thinK(snapKV)": thinK(snapKV, { window: 4 }),
  "quantised(thinK(pyramidKV))": quantised(thinK(pyramidKV, { window: 4 }), { bits: 2, recent: 2 }),
})) {
  describe(name, () => {
    for (const law of LAWS) test(law, () => assertNetworkLaw(law, factory));
  });
}
