/**
 * What every method must obey, whatever it scores and however it spends: `await assertMethodLaws(myMethod)`.
 *
 * The laws run on random layers and need no model. They import no test runner, so any runner can call them.
 */
import assert from "node:assert/strict";
import { type Kernels, referenceKernels, type Tensor } from "../../kernels/index.ts";
import { KvError } from "../../src/error.ts";
import type { Method } from "../../src/methods/method.ts";
import { type Selection, select } from "../../src/methods/select.ts";
import type { LayerObservation } from "../../src/scoring/score.ts";
import { layersOf, type PromptShape, prompts } from "./arbitraries.ts";
import { range } from "./numbers.ts";
import { holds } from "./seed.ts";

/** One method applied to one random prefill. */
interface Trial {
  readonly shape: PromptShape;
  readonly method: Method;
  readonly layers: readonly LayerObservation<Tensor>[];
  readonly selection: Selection;
}

type Law = (trial: Trial) => void | Promise<void>;

const plain = (selection: Selection) => selection.map((heads) => heads.map((positions) => [...positions]));

/** The layers that a method chooses in, by number; the others have a sliding window, and these have none or all of them have. */
function open({ layers }: Pick<Trial, "layers">): readonly number[] {
  const full = layers.filter(({ slidingWindow }) => slidingWindow === null);
  return (full.length > 0 ? full : layers).map(({ layer }) => layer);
}

/** What is kept of them. */
const openSelection = (trial: Trial) => open(trial).map((layer) => trial.selection[layer] ?? assert.fail());

/** How many a method keeps of what a longer prompt than the budget leaves to choose, in the layers that are open to it. */
function scheduled(trial: Trial) {
  const { shape, method, layers: observed } = trial;
  const { kvHeads, length } = shape;
  const numbers = open(trial);
  const { first, last } = method.keep;
  const [kept, candidates] = [first + last, { from: first, to: length - last }];
  const view = async (i: number) => ({ ...(observed[numbers[i] ?? -1] ?? assert.fail(`no layer ${i}`)), candidates });
  const scores = async (i: number): Promise<Tensor> => method.score?.evaluate(await view(i)) ?? assert.fail("no score");
  const within = { depth: observed.length, numbers };
  const sizes = { layers: numbers.length, within, kvHeads, mean: method.budget - kept, limit: length - kept, kept };
  return method.allocate({ ...sizes, scores, view });
}

const LAWS: Readonly<Record<string, Law>> = {
  "a prompt that fits the budget is kept whole": (trial) => {
    const { shape, method } = trial;
    if (shape.length > method.budget) return;
    const whole = range(0, shape.length);
    assert.deepEqual(
      plain(openSelection(trial)),
      open(trial).map(() => range(0, shape.kvHeads).map(() => whole)),
    );
  },
  "layers with a sliding window beside others without keep the last tokens that fit it, and no more": (trial) => {
    const { shape, layers, selection } = trial;
    const numbers = open(trial);
    for (const { layer, slidingWindow } of layers.filter(({ layer }) => !numbers.includes(layer))) {
      const last = range(Math.max(0, shape.length - (slidingWindow ?? assert.fail())), shape.length);
      assert.deepEqual(plain([selection[layer] ?? []]), [range(0, shape.kvHeads).map(() => last)]);
    }
  },
  "kept positions are unique, ascending and in the prompt": ({ shape, selection }) => {
    for (const positions of selection.flat()) {
      assert.deepEqual(
        [...positions],
        [...new Set(positions)].sort((a, b) => a - b),
      );
      assert.ok(positions.every((position) => position >= 0 && position < shape.length));
    }
  },
  "the always-kept tokens, sinks and window, are in every selection": (trial) => {
    const { shape, method } = trial;
    const { first, last } = method.keep;
    const always = [
      ...range(0, Math.min(first, shape.length)),
      ...range(Math.max(0, shape.length - last), shape.length),
    ];
    for (const positions of openSelection(trial).flat()) {
      const kept = new Set(positions);
      assert.deepEqual(
        always.filter((position) => !kept.has(position)),
        [],
      );
    }
  },
  "every layer and head keeps exactly what was scheduled": async (trial) => {
    if (trial.shape.length <= trial.method.budget) return;
    const { first, last } = trial.method.keep;
    const kepts = openSelection(trial).map((heads) => heads.map((positions) => positions.length - first - last));
    assert.deepEqual(kepts, await scheduled(trial));
  },
  "kept entries sum to the budget": (trial) => {
    const { shape, method } = trial;
    if (!method.exact) return;
    const total = openSelection(trial)
      .flat()
      .reduce((sum, positions) => sum + positions.length, 0);
    assert.equal(total, Math.min(method.budget, shape.length) * open(trial).length * shape.kvHeads);
  },
  "no kept candidate scores below an evicted one, and of equals the lower position is kept": async (trial) => {
    const { shape, method, layers, selection } = trial;
    if (method.score === null || shape.length <= method.budget) return;
    const candidates = { from: method.keep.first, to: shape.length - method.keep.last };
    const scheduledCounts = await scheduled(trial);
    for (const [i, layer] of open(trial).entries()) {
      const observed = layers[layer] ?? assert.fail();
      const scores: Tensor = await method.score.evaluate({ ...observed, candidates });
      const counts = scheduledCounts[i] ?? [];
      const expected: number[][] = counts.map((count, head) => bruteForce(scores, head, count, candidates.from));
      const chosen = selection[layer]?.map((positions) =>
        [...positions].slice(method.keep.first, positions.length - method.keep.last),
      );
      assert.deepEqual(chosen, expected);
    }
  },
  "permuting KV heads permutes selections, up to equal scores of different heads, unless heads are told apart by number":
    async (trial) => {
      const { method, layers, selection } = trial;
      if (method.namesHeads) return;
      const mirrored = layers.map(withHeadsReversed);
      const reversed = (await select(method, mirrored)).map((heads) => heads.toReversed());
      for (const [layer, heads] of selection.entries()) {
        const others = reversed[layer] ?? [];
        if (heads.every(({ length }, head) => others[head]?.length === length))
          assert.deepEqual(plain([others]), plain([heads]));
        // A schedule that looks at scores gives what is left to one of the heads whose scores are equal.
        else assert.deepEqual(await keptScores(trial, layer, others), await keptScores(trial, layer, heads));
      }
    },
  "a method keeps nothing from one prompt to the next": async ({ shape, method, layers, selection }) => {
    const other = { ...shape, seed: shape.seed + 1, length: shape.length + 3 };
    await select(method, await observe(other, method, referenceKernels()));
    assert.deepEqual(plain(await select(method, layers)), plain(selection));
  },
  "only the last queries that a method needs count, however many were observed": async (trial) => {
    const { method, layers, selection } = trial;
    const fewer = layers.map((layer) => ({ ...layer, queries: lastQueries(layer, method.needs.queries) }));
    assert.deepEqual(plain(await select(method, fewer)), plain(selection));
  },
  "what was not observed is a clear error": async ({ shape, method, layers }) => {
    const { needs } = method;
    if (needs.queries === 0 && !needs.columnSums && !needs.moments && needs.probes.length === 0) return;
    if (shape.length <= method.budget) return;
    const blind = layers.map((layer) => ({
      ...layer,
      columnSums: null,
      queryMoments: null,
      probes: new Map<string, Tensor>(),
      queries: lastQueries(layer, Math.min(needs.queries, shape.length) - 1),
    }));
    await assert.rejects(select(method, blind), {
      code: "observation_missing",
      message: /pass the method in `observe` of `prefill`/,
    });
  },
};

/** Scores of all that a layer keeps, whichever heads it is of, lowest first. */
async function keptScores({ method, layers, shape }: Trial, layer: number, heads: readonly Int32Array[]) {
  const candidates = { from: method.keep.first, to: shape.length - method.keep.last };
  const view = { ...(layers[layer] ?? assert.fail(`no layer ${layer}`)), candidates };
  const { data } = (await method.score?.evaluate(view)) ?? assert.fail("no score");
  const columns = candidates.to - candidates.from;
  const kept = heads.flatMap((positions, head) =>
    [...positions]
      .filter((position) => position >= candidates.from && position < candidates.to)
      .map((position) => data[head * columns + position - candidates.from] ?? Number.NaN),
  );
  return kept.sort((x, y) => x - y);
}

/** The positions of the `count` highest of a row, by a plain sort. */
function bruteForce({ data, dims }: Tensor, row: number, count: number, from: number): number[] {
  const columns = dims[1] ?? 0;
  const score = (j: number) => data[row * columns + j] ?? Number.NaN;
  const ranked = range(0, columns).sort((a, b) => score(b) - score(a) || a - b);
  return ranked
    .slice(0, count)
    .map((j) => from + j)
    .sort((a, b) => a - b);
}

function lastQueries({ queries }: LayerObservation<Tensor>, count: number): Tensor {
  const [heads = 0, observed = 0, size = 0] = queries.dims;
  const last = Math.min(observed, Math.max(0, count));
  const data = queries.data.filter((_, i) => i % (observed * size) >= (observed - last) * size);
  return { data, dims: [heads, last, size] };
}

/** What prefill would have observed for a method. */
const observe = (shape: PromptShape, { needs }: Method, kernels: Kernels) =>
  layersOf(
    shape,
    kernels,
    needs.probes.map(({ name }) => name),
  );

function withHeadsReversed(layer: LayerObservation<Tensor>): LayerObservation<Tensor> {
  const { queries, keys, values, columnSums, kvHeads, queryMoments, probes, outputProjection } = layer;
  const reverse = ({ data, dims }: Tensor): Tensor => {
    const size = data.length / kvHeads;
    const blocks = range(0, kvHeads).map((head) => data.subarray(head * size, (head + 1) * size));
    return { data: Float32Array.from(blocks.reverse().flatMap((block) => [...block])), dims };
  };
  const sums = columnSums === null ? null : reverse(columnSums);
  const reversed = (data: Float64Array) => Float64Array.from(reverse({ data: Float32Array.from(data), dims: [] }).data);
  return {
    ...layer,
    queries: reverse(queries),
    keys: reverse(keys),
    values: reverse(values),
    columnSums: sums,
    queryMoments: queryMoments && {
      count: queryMoments.count,
      sums: reversed(queryMoments.sums),
      products: reversed(queryMoments.products),
    },
    probes: new Map(Array.from(probes, ([name, seen]) => [name, reverse(seen)])),
    outputProjection() {
      const { data, dims } = outputProjection();
      const width = dims[1] ?? 0;
      const rows = range(0, data.length / width).map((row) => data.subarray(row * width, (row + 1) * width));
      return { data: Float32Array.from(rows.flatMap((of) => [...reverse({ data: of, dims: [width] }).data])), dims };
    },
  };
}

/** The sentences that every method must make true. */
export const methodLaws: readonly string[] = Object.keys(LAWS);

export interface LawOptions {
  /** Default: the reference. */
  readonly kernels?: Kernels;
  /** Random prefills per law. */
  readonly runs?: number;
}

/** Makes the method for a random prefill; one that is told what was measured of each head looks at the shape, too. */
export type LawFactory = (
  options: { readonly budget: number },
  shape: Pick<PromptShape, "layers" | "kvHeads">,
) => Method;

/** Checks one law. @throws with the smallest counterexample */
export function assertMethodLaw(law: string, factory: LawFactory, options: LawOptions = {}): Promise<void> {
  const { kernels = referenceKernels(), runs = 25 } = options;
  const check = LAWS[law] ?? assert.fail(`no such law: ${law}`);
  const trial = async (shape: PromptShape) => {
    const method = factory({ budget: shape.budget }, shape);
    const layers = await observe(shape, method, kernels);
    await check({ shape, method, layers, selection: await select(method, layers) });
  };
  const smallest = smallestBudget((options) => factory(options, { layers: 1, kvHeads: 1 }));
  return holds(prompts(smallest), trial, runs);
}

/** Checks them all on one method. @throws at the first that fails, with the smallest counterexample */
export async function assertMethodLaws(factory: LawFactory, options: LawOptions = {}): Promise<void> {
  for (const law of methodLaws) await assertMethodLaw(law, factory, options);
}

/** The smallest budget that a method, or a decoding policy, takes. */
export function smallestBudget(factory: (options: { readonly budget: number }) => unknown): number {
  for (let budget = 1; budget <= 1000; budget++) {
    try {
      factory({ budget });
      return budget;
    } catch (error) {
      if (!(error instanceof KvError && error.code === "budget_too_small")) throw error;
    }
  }
  throw new Error("the method takes no budget up to 1000");
}
