/**
 * What compression block by block must obey under every method: `await assertBlockLaws(myMethod)`.
 *
 * The laws run the real engine on tiny random models and compare it with one-shot compression, with the plain-TypeScript decoder
 * under the visibility that evictions imply, and with evictions made over again from what the engine gave.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { compress, compressInBlocks, type KvCache, type MethodFactory, prefill, step } from "../../src/index.ts";
import type { Method } from "../../src/methods/method.ts";
import { type Selection, select } from "../../src/methods/select.ts";
import { inverseFrequencies } from "../../src/model/rope.ts";
import type { QueryMoments } from "../../src/observation.ts";
import type { LayerObservation } from "../../src/scoring/score.ts";
import { maxDifference } from "./golden.ts";
import { smallestBudget } from "./method-laws.ts";
import { TOLERANCE } from "./network-laws.ts";
import { type PrefillCall, recorded } from "./recorded-engine.ts";
import { referenceLogits } from "./reference-decoder.ts";
import { SEED } from "./seed.ts";
import { sharedModel, type TinyModel } from "./tiny-model.ts";

/** A prompt that is compressed in blocks on a tiny model. */
interface BlockTrial {
  readonly model: TinyModel;
  readonly tokens: Int32Array;
  readonly budget: number;
  readonly block: number;
  /** At least the budget, and mostly well below the prompt's length. */
  readonly working: number;
  /** Tokens to decode after the prompt. */
  readonly next: readonly number[];
}

const OBSERVED = 64;
const token = fc.integer({ min: 0, max: 63 });

const arbitrary = (least: number) =>
  fc.record({
    layers: fc.integer({ min: 1, max: 3 }),
    heads: fc.constantFrom([4, 2] as const, [4, 4] as const, [3, 1] as const),
    headDim: fc.constantFrom(16, 8),
    seed: fc.integer({ min: 1, max: 2 }),
    prompt: fc.array(token, { minLength: least + 4, maxLength: least + 60 }),
    block: fc.constantFrom(1, 3, 7, 16),
    spare: fc.integer({ min: 0, max: 6 }),
    room: fc.integer({ min: 0, max: 12 }),
    next: fc.array(token, { minLength: 1, maxLength: 3 }),
  });

async function onBlocks(factory: MethodFactory, law: (trial: BlockTrial) => Promise<void>, runs: number) {
  const least = smallestBudget(factory);
  const property = fc.asyncProperty(
    arbitrary(least),
    async ({ layers, heads, headDim, seed, prompt, block, spare, room, next }) => {
      const shape = { layers, queryHeads: heads[0], kvHeads: heads[1], headDim };
      const model = await sharedModel(shape, seed);
      const budget = least + spare;
      await law({ model, tokens: Int32Array.from(prompt), budget, block, working: budget + room, next });
    },
  );
  await fc.assert(property, { seed: SEED, numRuns: runs });
}

/** What full() never evicts, only an endless working budget can hold. */
const workingFor = (method: Method, working: number) =>
  Number.isFinite(method.budget) ? working : Number.POSITIVE_INFINITY;

/** A trial carried out, with every call of the engine. */
async function carriedOut(factory: MethodFactory, { model, tokens, budget, block, working }: BlockTrial) {
  const method = factory({ budget });
  const recording = recorded(model);
  const options = { block, working: workingFor(method, working) };
  return {
    method,
    options,
    calls: recording.calls,
    cache: await compressInBlocks(recording.model, tokens, method, options),
  };
}

const positionsOf = ({ config }: TinyModel, cache: KvCache) =>
  Array.from({ length: config.layers }, (_, layer) =>
    Array.from({ length: config.kvHeads }, (_, head) => [...cache.positions(layer, head)]),
  );

/** Positions that each layer and KV head held when a call began. */
const heldBefore = ({ config }: TinyModel, { before }: Pick<PrefillCall, "before">) =>
  Array.from({ length: config.layers }, (_, layer) =>
    Array.from({ length: config.kvHeads }, (_, head) => {
      const { positions, offsets } = before.layers[layer] ?? { positions: [], offsets: [] };
      return [...positions.slice(offsets[head] ?? 0, offsets[head + 1] ?? 0)];
    }),
  );

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

type Law = (factory: MethodFactory, trial: BlockTrial) => Promise<void>;

const LAWS: Readonly<Record<string, Law>> = {
  "a working budget of the prompt's length or more is one-shot compression": async (factory, trial) => {
    const { model, tokens, budget, block, next } = trial;
    const method = factory({ budget });
    using context = await prefill(model, tokens, { observe: [method], chunk: block });
    for (const extra of [0, 9]) {
      const working = workingFor(method, Math.max(tokens.length, budget) + extra);
      using expected = await compress(context, method);
      using cache = await compressInBlocks(model, tokens, method, { block, working });
      assert.deepEqual(positionsOf(model, cache), positionsOf(model, expected));
      assert.equal(cache.bytes, expected.bytes);
      assert.ok(maxDifference(cache.logits, expected.logits) < TOLERANCE);
      for (const token of next)
        assert.ok(maxDifference(await step(model, cache, token), await step(model, expected, token)) < TOLERANCE);
    }
  },
  "no more than the working budget and a block is held, equally many everywhere": async (factory, trial) => {
    const { options, calls, cache } = await carriedOut(factory, trial);
    using _ = cache;
    let seen = 0;
    let held = 0;
    for (const { request, before, result } of calls) {
      const stayed = Math.min(held, options.working);
      const counts = heldBefore(trial.model, { before }).flat();
      assert.deepEqual([...new Set(counts.map(({ length }) => length))], [stayed]);
      assert.equal(before.position, seen);
      assert.ok(request.tokens.length <= options.block);
      seen += request.tokens.length;
      held = stayed + request.tokens.length;
      assert.ok(held <= options.working + options.block);
      assert.ok(result.layers.every(({ offsets }) => offsets.at(-1) === held * trial.model.config.kvHeads));
    }
    assert.equal(seen, trial.tokens.length);
    assert.equal(cache.length, seen);
  },
  "what is kept is the budget, ascending, true positions, sinks and window among them": async (factory, trial) => {
    const { method, calls, cache } = await carriedOut(factory, trial);
    using _ = cache;
    const { layers, kvHeads } = trial.model.config;
    const { first, last } = method.keep;
    const n = trial.tokens.length;
    const lastCall = calls.at(-1);
    const held = (lastCall?.request.tokens.length ?? 0) + (lastCall?.before.layers[0]?.offsets[1] ?? 0);
    const entries = cache.lengths.flat().reduce((sum, count) => sum + count, 0);
    if (method.exact) assert.equal(entries, Math.min(method.budget, held) * layers * kvHeads);
    for (const heads of positionsOf(trial.model, cache)) {
      for (const positions of heads) {
        assert.deepEqual(
          positions,
          [...new Set(positions)].sort((a, b) => a - b),
        );
        assert.ok(positions.every((position) => position >= 0 && position < n));
        const always = [...range(0, Math.min(first, n)), ...range(Math.max(0, n - last), n)];
        assert.deepEqual(
          always.filter((position) => !positions.includes(position)),
          [],
        );
      }
    }
  },
  "the method itself chooses what stays, by all that was observed of what is held": async (factory, trial) => {
    const { model } = trial;
    const { method, options, calls, cache } = await carriedOut(factory, trial);
    const { working } = options;
    using _ = cache;
    for (const [i, call] of calls.entries()) {
      const next = calls[i + 1];
      const [entries] = call.result.layers;
      const held = (entries?.positions.length ?? 0) / model.config.kvHeads;
      const chooser = next === undefined ? method : held > working ? { ...method, ...between(method, working) } : null;
      const chosen = chooser === null ? null : await select(chooser, observed(model, calls.slice(0, i + 1), method));
      const stayed = next === undefined ? positionsOf(model, cache) : heldBefore(model, next);
      assert.deepEqual(
        stayed,
        call.result.layers.map((layer, l) =>
          range(0, model.config.kvHeads).map((head) => {
            const own = layer.positions.slice(head * held, (head + 1) * held);
            return chosen === null ? [...own] : picked(chosen, l, head).map((row) => own[row] ?? -1);
          }),
        ),
      );
    }
  },
  "each block attends to what was held when it ran, and decoding to what was kept: the plain decoder under that mask":
    async (factory, trial) => {
      const { model, tokens, next } = trial;
      const { calls, cache } = await carriedOut(factory, trial);
      using _ = cache;
      const blocks = calls.map((call) => ({
        from: call.before.position,
        held: heldBefore(model, call).map((heads) => heads.map((positions) => new Set(positions))),
      }));
      const kept = positionsOf(model, cache).map((heads) => heads.map((positions) => new Set(positions)));
      blocks.push({ from: tokens.length, held: kept });
      const sees = (layer: number, head: number, query: number, key: number) => {
        const block = blocks.findLast(({ from }) => from <= query);
        return block === undefined || key >= block.from || (block.held[layer]?.[head]?.has(key) ?? false);
      };
      const expected = referenceLogits(model.config, model.weights, [...tokens, ...next], sees);
      assert.ok(maxDifference(cache.logits, expected[tokens.length - 1] ?? []) < TOLERANCE, "after the prompt");
      for (const [i, token] of next.entries()) {
        const logits = await step(model, cache, token);
        assert.ok(maxDifference(logits, expected[tokens.length + i] ?? []) < TOLERANCE, `token ${i}`);
      }
    },
  "however a prompt comes in pieces, its blocks and its cache are the same": async (factory, trial) => {
    const { model, tokens } = trial;
    const { method, options, calls, cache } = await carriedOut(factory, trial);
    using _ = cache;
    for (const size of [1, 5, 1000]) {
      const recording = recorded(model);
      using other = await compressInBlocks(recording.model, inPieces(tokens, size), method, options);
      assert.deepEqual(
        recording.calls.map(({ request }) => [...request.tokens]),
        calls.map(({ request }) => [...request.tokens]),
      );
      assert.deepEqual(positionsOf(model, other), positionsOf(model, cache));
      assert.deepEqual(other.logits, cache.logits);
      assert.equal(other.bytes, cache.bytes);
    }
  },
};

async function* inPieces(tokens: Int32Array, size: number) {
  for (let at = 0; at < tokens.length; at += size) {
    yield new Int32Array(0);
    yield tokens.subarray(at, at + size);
  }
}

const picked = (selection: Selection, layer: number, head: number) => [...(selection[layer]?.[head] ?? [])];

/** What stays between blocks, said once more: uniform, and the last tokens where nothing is scored. */
const between = ({ keep, score }: Method, working: number): Partial<Method> => ({
  budget: working,
  keep: score === null ? { first: keep.first, last: working - keep.first } : keep,
  allocate: ({ layers, kvHeads, mean }) => range(0, layers).map(() => range(0, kvHeads).map(() => mean)),
});

/** What a method may see after some calls: sums looked up by true position, and queries of tokens that are surely held. */
function observed(model: TinyModel, calls: readonly PrefillCall[], method: Method): LayerObservation[] {
  const { layers, kvHeads, queryHeads, headDim } = model.config;
  const result = calls.at(-1)?.result ?? assert.fail("no call");
  const length = (result.layers[0]?.positions.length ?? 0) / kvHeads;
  return range(0, layers).map((layer) => {
    const entries = result.layers[layer] ?? assert.fail("no layer");
    const sums = method.needs.columnSums ? sumsByPosition(model, calls, layer) : null;
    const columnSums = sums && {
      data: Float32Array.from({ length: queryHeads * length }, (_, i) => {
        const head = Math.floor(i / length);
        const kvHead = Math.floor((head * kvHeads) / queryHeads);
        return sums[head]?.get(entries.positions[kvHead * length + (i % length)] ?? -1) ?? Number.NaN;
      }),
      dims: [queryHeads, length],
    };
    const rows = allQueries(model, calls, layer).slice(-Math.max(1, method.needs.queries));
    const data = Float32Array.from(range(0, queryHeads).flatMap((h) => rows.flatMap((row) => row[h] ?? [])));
    return {
      layer,
      length,
      kvHeads,
      positions: entries.positions,
      queries: { data, dims: [queryHeads, rows.length, headDim] },
      keys: { data: entries.keys, dims: [kvHeads, length, headDim] },
      values: { data: entries.values, dims: [kvHeads, length, headDim] },
      columnSums,
      queryMoments: method.needs.moments ? momentsOf(calls, layer) : null,
      probes: new Map(),
      slidingWindow: null,
      frequencies: inverseFrequencies(model.config, layer),
      outputProjection: () => model.engine.outputProjection(layer),
      prompt: null,
      kernels: model.engine.kernels,
    };
  });
}

/** Moments of all queries so far. */
function momentsOf(calls: readonly PrefillCall[], layer: number): QueryMoments {
  const parts = calls.map(({ result }) => result.moments?.[layer] ?? assert.fail("no moments"));
  const total = (of: (part: QueryMoments) => Float64Array) =>
    parts.map(of).reduce((sum, part) => sum.map((value, i) => value + (part[i] ?? Number.NaN)));
  return {
    count: parts.reduce((sum, { count }) => sum + count, 0),
    sums: total(({ sums }) => sums),
    products: total(({ products }) => products),
  };
}

/** Of each query head, what every position received over all calls. */
function sumsByPosition({ config }: TinyModel, calls: readonly PrefillCall[], layer: number): Map<number, number>[] {
  const { kvHeads, queryHeads } = config;
  const totals = range(0, queryHeads).map(() => new Map<number, number>());
  for (const { result } of calls) {
    const { positions } = result.layers[layer] ?? assert.fail("no layer");
    const sums = result.columnSums?.[layer] ?? assert.fail("no sums");
    const length = positions.length / kvHeads;
    for (const [head, total] of totals.entries()) {
      const kvHead = Math.floor((head * kvHeads) / queryHeads);
      for (let i = 0; i < length; i++) {
        const position = positions[kvHead * length + i] ?? -1;
        total.set(position, (total.get(position) ?? 0) + (sums[head * length + i] ?? Number.NaN));
      }
    }
  }
  return totals;
}

/** The queries of all tokens so far, [token][query head][d]. */
function allQueries({ config }: TinyModel, calls: readonly PrefillCall[], layer: number): number[][][] {
  const { queryHeads, headDim } = config;
  return calls.flatMap(({ request, result }) => {
    const data = result.queries[layer] ?? assert.fail("no queries");
    const count = data.length / (queryHeads * headDim);
    assert.equal(count, Math.min(OBSERVED, request.tokens.length));
    return range(0, count).map((row) =>
      range(0, queryHeads).map((h) => [...data.subarray((h * count + row) * headDim, (h * count + row + 1) * headDim)]),
    );
  });
}

/** The sentences that every method must make true. */
export const blockLaws: readonly string[] = Object.keys(LAWS);

/** Checks one law. @throws with the smallest counterexample */
export function assertBlockLaw(law: string, factory: MethodFactory, runs = 12): Promise<void> {
  const check = LAWS[law] ?? assert.fail(`no such law: ${law}`);
  return onBlocks(factory, (trial) => check(factory, trial), runs);
}

/** Checks them all on one method. @throws at the first that fails, with the smallest counterexample */
export async function assertBlockLaws(factory: MethodFactory, runs?: number): Promise<void> {
  for (const law of blockLaws) await assertBlockLaw(law, factory, runs);
}
