/** A prompt compressed block by block on a tiny random model, and what its engine was asked on the way. */
import fc from "fast-check";
import { compressInBlocks, type KvCache, type MethodFactory } from "../../../src/index.ts";
import type { Method } from "../../../src/methods/method.ts";
import { smallestBudget } from "../method-laws.ts";
import { type PrefillCall, recorded } from "../recorded-engine.ts";
import { runsOf, SEED } from "../seed.ts";
import { sharedModel, type TinyModel } from "../tiny-model.ts";

/** A prompt that is compressed in blocks on a tiny model. */
export interface BlockTrial {
  readonly model: TinyModel;
  readonly tokens: Int32Array;
  readonly budget: number;
  readonly block: number;
  /** At least the budget, and mostly well below the prompt's length. */
  readonly working: number;
  /** Tokens to decode after the prompt. */
  readonly next: readonly number[];
}

/** What must be so, whatever the trial. */
export type Law = (factory: MethodFactory, trial: BlockTrial) => Promise<void>;

export type Laws = Readonly<Record<string, Law>>;

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

/** Checks a law on random trials. @throws with the smallest counterexample */
export async function onBlocks(factory: MethodFactory, law: (trial: BlockTrial) => Promise<void>, runs: number) {
  const smallest = smallestBudget(factory);
  const { keep, needs } = factory({ budget: smallest });
  // The tokens whose queries a score looks at are held between blocks, also where the method would not keep them.
  const held = Number.isFinite(needs.queries) ? keep.first + needs.queries + 1 : 0;
  const least = Math.max(smallest, held);
  const property = fc.asyncProperty(
    arbitrary(least),
    async ({ layers, heads, headDim, seed, prompt, block, spare, room, next }) => {
      const shape = { layers, queryHeads: heads[0], kvHeads: heads[1], headDim };
      const model = await sharedModel(shape, seed);
      const budget = least + spare;
      await law({ model, tokens: Int32Array.from(prompt), budget, block, working: budget + room, next });
    },
  );
  await fc.assert(property, { seed: SEED, numRuns: runsOf(runs) });
}

/** What full() never evicts, only an endless working budget can hold. */
export const workingFor = (method: Method, working: number) =>
  Number.isFinite(method.budget) ? working : Number.POSITIVE_INFINITY;

/** A trial carried out, with every call of the engine. */
export async function carriedOut(factory: MethodFactory, { model, tokens, budget, block, working }: BlockTrial) {
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

/** Positions that each layer and KV head holds. */
export const positionsOf = ({ config }: TinyModel, cache: KvCache) =>
  Array.from({ length: config.layers }, (_, layer) =>
    Array.from({ length: config.kvHeads }, (_, head) => [...cache.positions(layer, head)]),
  );

/** Positions that each layer and KV head held when a call began. */
export const heldBefore = ({ config }: TinyModel, { before }: Pick<PrefillCall, "before">) =>
  Array.from({ length: config.layers }, (_, layer) =>
    Array.from({ length: config.kvHeads }, (_, head) => {
      const { positions, offsets } = before.layers[layer] ?? { positions: [], offsets: [] };
      return [...positions.slice(offsets[head] ?? 0, offsets[head + 1] ?? 0)];
    }),
  );
