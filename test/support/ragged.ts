/** Caches of any shape: each layer and KV head of a tiny model keeps its own random positions of a random prompt. */
import fc from "fast-check";
import { type KvCache, prefill, retain, type Selection, step } from "../../src/index.ts";
import { uniform as uniformFrom } from "./random.ts";
import { sharedModel, type TinyModel } from "./tiny-model.ts";

export const tokens = (minLength: number, maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 63 }), { minLength, maxLength });

/** Sliding windows among them; with a share of 1, heads keep everything. */
export const raggedShapes = fc.record({
  layers: fc.integer({ min: 1, max: 3 }),
  heads: fc.constantFrom([4, 2] as const, [4, 4] as const, [6, 2] as const, [3, 1] as const),
  headDim: fc.constantFrom(16, 8),
  slidingWindow: fc.constantFrom(null, null, 4, 11),
  prompt: tokens(2, 40),
  share: fc.constantFrom(0.1, 0.5, 0.9, 1),
  uniform: fc.boolean(),
  seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  /** Tokens generated since. */
  tail: tokens(0, 20),
});

export type RaggedShape = typeof raggedShapes extends fc.Arbitrary<infer Shape> ? Shape : never;

export interface RaggedCache extends Disposable {
  readonly model: TinyModel;
  readonly cache: KvCache;
}

export function modelOf({ layers, heads, headDim, slidingWindow }: RaggedShape): Promise<TinyModel> {
  return sharedModel({ layers, queryHeads: heads[0], kvHeads: heads[1], headDim, slidingWindow }, 1);
}

/** Positions per layer and head; a uniform layer keeps the same for all its heads. The last is always kept. */
export function selectionOf({ layers, heads, prompt, share, uniform, seed }: RaggedShape): Selection {
  const next = uniformFrom(seed);
  const draw = () => Int32Array.from(prompt.keys()).filter((p) => next() < share || p === prompt.length - 1);
  return Array.from({ length: layers }, () => {
    const first = draw();
    return Array.from({ length: heads[1] }, (_, head) => (uniform || head === 0 ? first : draw()));
  });
}

export async function raggedCache(shape: RaggedShape): Promise<RaggedCache> {
  const model = await modelOf(shape);
  using context = await prefill(model, Int32Array.from(shape.prompt));
  const cache = await retain(context, selectionOf(shape));
  for (const token of shape.tail) await step(model, cache, token);
  return { model, cache, [Symbol.dispose]: () => cache[Symbol.dispose]() };
}
