/** What an entry of the prompt would give to the tokens that follow, at most: LU-KV's oracle. */
import type { Context } from "../context.ts";
import type { Model } from "../load.ts";
import { runProbes } from "../run-probes.ts";
import type { Probe, ProbeView } from "../scoring/probe.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Of each layer, [KH, n]: the maximum over the following tokens i of A[h,i,j] |W_O v_j|, averaged over the query heads of a group; W_O
 * is the part of the output projection that reads head h.
 */
export async function importanceOf(model: Model, context: Context, following: Int32Array): Promise<readonly Tensor[]> {
  const { kvHeads, queryHeads } = model.config;
  const probe = highestAttention(following);
  const seen = await runProbes(model, context.tokens, context.entries, [probe], { chunk: following.length });
  const found: Tensor[] = [];
  for (const [layer, attention] of (seen.get(probe.name) ?? []).entries()) {
    const { data: values } = await model.engine.kernels.read(context.entries.stored(layer).values);
    const norms = await outputNorms(model, layer, values);
    const data = attention.data.map((most, i) => most * (norms[i] ?? 0));
    const perHead = { data, dims: [queryHeads, context.length] };
    found.push(await model.engine.kernels.groupMean(perHead, kvHeads));
  }
  return found;
}

/** The most that any of some tokens after the prompt gives to each of its positions. */
const highestAttention = (tokens: Int32Array): Probe => ({
  name: "highest attention of what follows",
  join: "max",
  sequences: () => [tokens],
  async see(view) {
    const [heads = 0, count = 0] = view.queries.dims;
    const most = new Float32Array(heads * view.length);
    const keys = await view.kernels.read(view.keys);
    for (let i = 0; i < count; i++) {
      const { data, dims } = await attentionOf({ ...view, keys }, i);
      const all = dims[1] ?? 0;
      for (let head = 0; head < heads; head++)
        for (let j = 0; j < view.length; j++) {
          const at = head * view.length + j;
          most[at] = Math.max(most[at] ?? 0, data[head * all + j] ?? 0);
        }
    }
    return { data: most, dims: [heads, view.length] };
  },
});

/** What the i-th of them attends to: [H, n + i + 1]. */
function attentionOf(
  { queries, keys, length, slidingWindow, kernels }: ProbeView & { readonly keys: Tensor },
  i: number,
): Promise<Tensor> {
  return kernels.columnSums(rows(queries, i, i + 1), rows(keys, 0, length + i + 1), { slidingWindow });
}

/** Rows [from, to) of each head: [heads, to - from, d]. */
function rows({ data, dims: [heads = 0, count = 0, size = 0] }: Tensor, from: number, to: number): Tensor {
  const cut = new Float32Array(heads * (to - from) * size);
  for (let head = 0; head < heads; head++)
    cut.set(data.subarray((head * count + from) * size, (head * count + to) * size), head * (to - from) * size);
  return { data: cut, dims: [heads, to - from, size] };
}

/** The length of what each value becomes in each query head's output: [H, n]. */
async function outputNorms({ config, engine }: Model, layer: number, values: Float32Array): Promise<Float32Array> {
  const { queryHeads, kvHeads, headDim: d } = config;
  const { data, dims } = engine.outputProjection(layer);
  const [hidden = 0] = dims;
  // |W v|^2 = v W'W v, and W'W is d x d for each head.
  const { products } = await engine.kernels.moments({ data, dims: [hidden, queryHeads, d] });
  const length = values.length / (kvHeads * d);
  const norms = new Float32Array(queryHeads * length);
  for (let head = 0; head < queryHeads; head++) {
    const kvHead = Math.floor((head * kvHeads) / queryHeads);
    for (let j = 0; j < length; j++) {
      const value = values.subarray((kvHead * length + j) * d, (kvHead * length + j + 1) * d);
      norms[head * length + j] = Math.sqrt(Math.max(0, form(value, products.data, head * d * d)));
    }
  }
  return norms;
}

/** v'Mv of a matrix [d, d] that begins at `from`. By index: with iterators a measurement of curves took three times as long (2026-11). */
function form(vector: Float32Array, matrix: Float32Array, from: number): number {
  const size = vector.length;
  let total = 0;
  for (let a = 0; a < size; a++) {
    let row = 0;
    for (let b = 0; b < size; b++) row += (matrix[from + a * size + b] ?? 0) * (vector[b] ?? 0);
    total += (vector[a] ?? 0) * row;
  }
  return total;
}
