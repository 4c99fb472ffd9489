/** Formulas of scores said once more: plain loops in double precision that share nothing with the kernels. */
import { onnxKernels, referenceKernels, type Tensor } from "../../kernels/index.ts";
import type { Method } from "../../src/methods/method.ts";
import { select } from "../../src/methods/select.ts";
import type { LayerObservation } from "../../src/scoring/score.ts";
import { layersOf, prompts } from "./arbitraries.ts";
import { dot, range, sum } from "./numbers.ts";
import { holds } from "./seed.ts";

/** The vector at some indices of a tensor. */
export function vector({ data, dims }: Tensor, ...at: readonly number[]): readonly number[] {
  const size = dims.slice(at.length).reduce((product, dim) => product * dim, 1);
  const start = at.reduce((index, i, axis) => index * (dims[axis] ?? 0) + i, 0) * size;
  return [...data.subarray(start, start + size)];
}

export const queryHeads = ({ queries }: Pick<LayerObservation<Tensor>, "queries">) => queries.dims[0] ?? 0;

/** A[h, i, j] for all j of the prompt: what query head h of token i attends to. */
export function attention(
  { queries, keys, slidingWindow }: Pick<LayerObservation<Tensor>, "queries" | "keys" | "slidingWindow">,
  head: number,
  i: number,
): readonly number[] {
  const [heads = 0, observed = 0, size = 0] = queries.dims;
  const [kvHeads = 0, length = 0] = keys.dims;
  const query = vector(queries, head, i - (length - observed));
  const sees = (j: number) => j <= i && (slidingWindow === null || j > i - slidingWindow);
  const weights = range(0, length).map((j) =>
    sees(j) ? Math.exp(dot(query, vector(keys, Math.floor((head * kvHeads) / heads), j)) / Math.sqrt(size)) : 0,
  );
  const total = sum(weights);
  return weights.map((weight) => weight / total);
}

/** How many tokens of the prompt a query sees. */
export const seenBy = ({ slidingWindow }: Pick<LayerObservation<Tensor>, "slidingWindow">, i: number) =>
  Math.min(i + 1, slidingWindow ?? i + 1);

/** The mean over the query heads that read each KV head, of a number for each position. */
export function groupMean(
  layer: LayerObservation<Tensor>,
  of: (head: number) => readonly number[],
): readonly number[][] {
  const group = queryHeads(layer) / layer.kvHeads;
  return range(0, layer.kvHeads).map((kvHead) => {
    const rows = range(kvHead * group, (kvHead + 1) * group).map(of);
    return range(0, layer.length).map((j) => sum(rows.map((row) => row[j] ?? Number.NaN)) / group);
  });
}

/** The `count` best of some positions, of equal ones the lower, ascending. */
export function best(scores: readonly number[], among: readonly number[], count: number): readonly number[] {
  const at = (j: number) => scores[j] ?? Number.NaN;
  return [...among]
    .sort((a, b) => at(b) - at(a) || a - b)
    .slice(0, count)
    .sort((a, b) => a - b);
}

const kernels = [referenceKernels(), onnxKernels({ threads: 2 })];

/**
 * What a method keeps of random prompts longer than its budget, on the reference and on the CPU.
 *
 * @param check is given the candidates, and for each layer and KV head what is kept of them
 */
export function keeps(
  least: number,
  make: (budget: number) => Method,
  check: (trial: {
    readonly method: Method;
    readonly layers: readonly LayerObservation<Tensor>[];
    readonly candidates: readonly number[];
    readonly kept: readonly (readonly (readonly number[])[])[];
  }) => void | Promise<void>,
  runs = 10,
): Promise<void> {
  const longer = prompts(least).filter(({ length, budget }) => length > budget);
  return holds(
    longer.map(({ seed, ...shape }) => ({ ...shape, seed: 4 * seed + (seed % 2 === 0 ? 0 : 3) })), // all layers slide or none: methods choose in all
    async (shape) => {
      const method = make(shape.budget);
      const names = method.needs.probes.map(({ name }) => name);
      const candidates = range(method.keep.first, shape.length - method.keep.last);
      const [from = 0, to = -1] = [candidates[0], candidates.at(-1)];
      for (const on of kernels) {
        const layers = await layersOf(shape, on, names);
        const selection = await select(method, layers);
        const kept = selection.map((heads) => heads.map((all) => [...all].filter((j) => j >= from && j <= to)));
        await check({ method, layers, candidates, kept });
      }
    },
    runs,
  );
}
