/** Random inputs for the laws. Shapes shrink; numbers follow from an integer that is part of the counterexample. */
import fc from "fast-check";
import { type Kernels, referenceKernels, type Tensor } from "../../kernels/index.ts";
import type { ScheduleSizes } from "../../src/allocation/schedule.ts";
import type { LayerObservation } from "../../src/scoring/score.ts";
import { normal, uniform } from "./random.ts";

/** A tensor of normal numbers. */
export function normals(seed: number, ...dims: readonly number[]): Tensor {
  return { data: normal(uniform(seed), size(dims)), dims };
}

/** A tensor of numbers in [0, 1). */
export function uniforms(seed: number, ...dims: readonly number[]): Tensor {
  return { data: Float32Array.from({ length: size(dims) }, uniform(seed)), dims };
}

/** A tensor of few distinct values, so that ties are common. */
export function ties(seed: number, levels: number, ...dims: readonly number[]): Tensor {
  const next = uniform(seed);
  return { data: Float32Array.from({ length: size(dims) }, () => Math.floor(next() * levels) / levels), dims };
}

const size = (dims: readonly number[]) => dims.reduce((product, dim) => product * dim, 1);

const seed = fc.integer({ min: 0, max: 2 ** 31 });
const upTo = (max: number, min = 1) => fc.integer({ min, max });

/** Queries and keys of one layer, with or without a sliding window. */
export const attentionInputs = fc
  .record({
    seed,
    kvHeads: upTo(3),
    group: upTo(4),
    size: upTo(16),
    length: upTo(80),
    share: upTo(80),
    sliding: upTo(90),
  })
  .chain(({ seed, kvHeads, group, size, length, share, sliding }) =>
    fc.constantFrom(null, sliding).map((slidingWindow) => ({
      queries: normals(seed, kvHeads * group, Math.min(share, length), size),
      keys: normals(seed + 1, kvHeads, length, size),
      visibility: { slidingWindow },
    })),
  );

/** Keys with the positions that they stand at: rising without gaps, with them, or anyhow, in all heads alike or not. */
export const turnedKeys = fc
  .record({
    seed,
    kvHeads: upTo(3),
    half: upTo(6),
    length: upTo(50),
    first: upTo(9000, 0),
    gap: upTo(3, 0),
    shift: upTo(2, 0),
  })
  .map(({ seed, kvHeads, half, length, first, gap, shift }) => ({
    keys: normals(seed, kvHeads, length, 2 * half),
    positions: Int32Array.from({ length: kvHeads * length }, (_, i) => {
      const [head, j] = [Math.floor(i / length), i % length];
      return first + shift * head + (gap === 0 ? (j * 17) % 31 : gap * j);
    }),
    frequencies: Float64Array.from({ length: half }, (_, i) => 10_000 ** (-i / half)),
  }));

/** Score matrices, ties among them, with the KV heads their rows are grouped by. */
export const matrices = fc
  .record({ seed, kvHeads: upTo(4), group: upTo(4), columns: upTo(60, 0), levels: fc.constantFrom(2, 5, 1000) })
  .map(({ seed, kvHeads, group, columns, levels }) => ({
    kvHeads,
    scores: ties(seed, levels, kvHeads * group, columns),
  }));

/** What a schedule is asked, prompts shorter than the budget included. */
export const scheduleRequests: fc.Arbitrary<ScheduleSizes> = fc.record({
  layers: upTo(40),
  kvHeads: upTo(8),
  mean: upTo(300, 0),
  limit: upTo(700, 0),
  kept: upTo(64),
});

export const betas = fc.oneof(fc.constantFrom(1.01, 2, 4, 20), fc.double({ min: 1.001, max: 100, noNaN: true }));

/** The shape of a prefill; `layersOf` makes it. */
export interface PromptShape {
  readonly seed: number;
  readonly layers: number;
  readonly kvHeads: number;
  readonly group: number;
  readonly length: number;
  readonly budget: number;
}

/** Prompts on either side of budgets that a method allows, more of them longer. */
export const prompts = (smallestBudget: number): fc.Arbitrary<PromptShape> =>
  fc
    .record({
      seed,
      layers: upTo(5),
      kvHeads: upTo(3),
      group: upTo(3),
      budget: upTo(smallestBudget + 40, smallestBudget),
      excess: upTo(60, -12),
    })
    .map(({ excess, ...shape }) => ({ ...shape, length: Math.max(1, shape.budget + excess) }));

const SIZE = 4;

/** Whether a layer has a sliding window: by the seed all, the odd ones, the even ones or none. */
const slides = (seed: number, layer: number): boolean =>
  seed % 4 === 0 || (seed % 4 === 1 && layer % 2 === 1) || (seed % 4 === 2 && layer % 2 === 0);

/**
 * What prefill would have observed of random layers. Column sums and moments come from the reference; probes saw random numbers.
 *
 * @param probes their names
 */
export async function layersOf(
  shape: PromptShape,
  kernels: Kernels,
  probes: readonly string[] = [],
): Promise<readonly LayerObservation<Tensor>[]> {
  const { seed, kvHeads, group, length } = shape;
  const reference = referenceKernels();
  const text = (token: number) => (token % 5 === 0 ? " ends." : token % 7 === 0 ? "\n" : ` t${token}`);
  const encode = (from: string) => Int32Array.from(from, (letter) => letter.charCodeAt(0) % 64);
  const prompt = { tokens: Int32Array.from({ length }, (_, i) => (seed + i * i) % 64), text, encode };
  const layers: LayerObservation<Tensor>[] = [];
  for (let layer = 0; layer < shape.layers; layer++) {
    const draw = (salt: number, ...dims: readonly number[]) => normals(seed + 10 * layer + salt, ...dims);
    const keys = draw(0, kvHeads, length, SIZE);
    const values = draw(1, kvHeads, length, SIZE);
    const all = draw(2, kvHeads * group, length, SIZE);
    const slidingWindow = slides(seed, layer) ? Math.ceil(length / 2) : null;
    const columnSums = await reference.columnSums(all, keys, { slidingWindow });
    const unturned = draw(4, length, kvHeads * group, SIZE);
    const { sums, products } = await reference.moments(unturned);
    const projection = draw(5, 6, kvHeads * group * SIZE);
    const positions = Int32Array.from({ length: kvHeads * length }, (_, i) => i % length);
    layers.push({
      layer,
      length,
      kvHeads,
      positions,
      queries: all,
      keys,
      values,
      columnSums,
      queryMoments: {
        count: length,
        sums: Float64Array.from(sums.data),
        products: Float64Array.from(products.data),
      },
      probes: new Map(probes.map((name, i) => [name, uniforms(seed + 10 * layer + 6 + i, kvHeads * group, length)])),
      slidingWindow,
      frequencies: Float64Array.of(1, 0.1),
      outputProjection: () => projection,
      prompt,
      kernels,
    });
  }
  return layers;
}
