/** A compression method applied to what a cache holds by now, layers and heads of unequal lengths among them. */
import type { Held, Workplace } from "../cache/decider.ts";
import type { Evictions } from "../cache/evict.ts";
import { everyHead, positionsOf } from "../cache/inventory.ts";
import type { Method } from "../methods/method.ts";
import { inverseFrequencies } from "../model/rope.ts";
import { rankable } from "../scoring/rankable.ts";
import type { Tensor } from "../tensor.ts";

export interface Choice {
  readonly method: Method;
  /** Entries per KV head, on average, that stay. */
  readonly target: number;
  /** Each layer's last queries, those of the last entries: [H, count, d]. */
  readonly queries: readonly Tensor[];
  readonly workplace: Workplace;
}

/** Each head's places by position, [layer][kvHead]. */
type Order = readonly (readonly Uint32Array[])[];

/**
 * What goes, so that `target` entries per head stay on average. A head that holds fewer than the schedule gives it keeps them all. A score
 * sees a layer at once if its heads hold equally many entries, else one head at a time.
 */
export async function goneBy(choice: Choice, held: Held): Promise<Evictions> {
  const { method, target, workplace } = choice;
  const order: Order = everyHead(held, (positions) =>
    Uint32Array.from(positions.keys()).sort((a, b) => (positions[a] ?? 0) - (positions[b] ?? 0)),
  );
  const lengths = order.flat().map(({ length }) => length);
  const excess = lengths.reduce((sum, length) => sum + length - target, 0);
  if (excess <= 0) return order.map((heads) => heads.map(() => []));
  const { first, last } = method.keep;
  const limit = Math.max(...lengths) - first - last;
  // Scored once, whoever asks first: a schedule that looks at scores, or the choice.
  const known = new Map<number, Promise<readonly Float32Array[]>>();
  const scores = (layer: number) => {
    const rows = known.get(layer) ?? scored(choice, held, order[layer] ?? [], layer);
    known.set(layer, rows);
    return rows;
  };
  const { layers, kvHeads } = held.geometry;
  const sizes = { layers, kvHeads, mean: target - first - last, limit, kept: first + last };
  const counts = await method.allocate({
    ...sizes,
    scores: async (layer) => padded(await scores(layer), limit),
    view: notSeen,
  });
  const gone: number[][][] = [];
  for (const [layer, heads] of order.entries()) {
    const rows = method.score === null ? heads.map(() => new Float32Array(0)) : await scores(layer);
    const most = rows.map(({ length }, head) => Math.min(length, counts[layer]?.[head] ?? 0));
    const chosen = await workplace.kernels.topK(padded(rows, Math.max(...rows.map(({ length }) => length))), most);
    gone.push(
      heads.map((places, head) => {
        const stays = new Set(chosen[head]);
        const candidates = places.subarray(first, places.length - last);
        return [...candidates].filter((_, column) => !stays.has(column));
      }),
    );
  }
  return gone;
}

/** A method's scores of each head's candidates, by position. */
async function scored(
  choice: Choice,
  held: Held,
  heads: readonly Uint32Array[],
  layer: number,
): Promise<readonly Float32Array[]> {
  const even = heads.every(({ length }) => length === heads[0]?.length);
  const all = heads.map((_, head) => head);
  const rows: Float32Array[] = [];
  for (const together of even ? [all] : all.map((head) => [head]))
    rows.push(...(await scoredTogether(choice, held, heads, layer, together)));
  return rows;
}

/** Of some heads that hold equally many entries. */
async function scoredTogether(
  { method, queries, workplace }: Choice,
  held: Held,
  order: readonly Uint32Array[],
  layer: number,
  heads: readonly number[],
): Promise<readonly Float32Array[]> {
  const { first, last } = method.keep;
  const length = order[heads[0] ?? 0]?.length ?? 0;
  const columns = length - first - last;
  if (columns <= 0 || method.score === null) return heads.map(() => new Float32Array(0));
  using entries = held.picked(
    layer,
    heads,
    heads.map((head) => order[head] ?? []),
  );
  const positions = heads.flatMap((head) => [...positionsOf(held, layer, head)].sort((a, b) => a - b));
  const view = {
    layer,
    length,
    kvHeads: heads.length,
    positions: Int32Array.from(positions),
    queries: queriesOf(queries[layer], order.length, heads),
    keys: entries.keys,
    values: entries.values,
    columnSums: null,
    queryMoments: null,
    probes: new Map(),
    slidingWindow: null,
    frequencies: inverseFrequencies(workplace.config, layer),
    outputProjection: () => columnsOf(workplace.outputProjection(layer), order.length, heads),
    prompt: null,
    kernels: workplace.kernels,
    candidates: { from: first, to: length - last },
  };
  const { data } = rankable(await method.score.evaluate(view), view);
  return heads.map((_, i) => data.slice(i * columns, (i + 1) * columns));
}

/** Those of the query heads that read some of the KV heads: [H, count, d] -> [their number, count, d]. */
function queriesOf(all: Tensor | undefined, kvHeads: number, heads: readonly number[]): Tensor {
  const { data, dims } = all ?? { data: new Float32Array(0), dims: [0, 0, 0] };
  const [queryHeads = 0, ...rest] = dims;
  const size = data.length / kvHeads;
  const own = joined(heads.map((head) => data.subarray(head * size, (head + 1) * size)));
  return { data: own, dims: [(queryHeads / kvHeads) * heads.length, ...rest] };
}

/** Those columns of an output projection that some of the KV heads lead to: [hidden, H * d] -> [hidden, their number * d]. */
function columnsOf({ data, dims: [rows = 0, width = 0] }: Tensor, kvHeads: number, heads: readonly number[]): Tensor {
  const size = width / kvHeads;
  const parts = Array.from({ length: rows }, (_, row) =>
    heads.map((head) => data.subarray(row * width + head * size, row * width + (head + 1) * size)),
  );
  return { data: joined(parts.flat()), dims: [rows, heads.length * size] };
}

/** `everySteps` takes no method whose schedule asks for it. */
const notSeen = () => Promise.reject(new Error("no whole layer to be seen: its heads may hold unequally many entries"));

/** Rows of unequal lengths as a matrix [rows, width]: what is not there has the lowest of scores. */
function padded(rows: readonly Float32Array[], width: number): Tensor {
  const data = new Float32Array(rows.length * width).fill(Number.NEGATIVE_INFINITY);
  for (const [i, row] of rows.entries()) data.set(row, i * width);
  return { data, dims: [rows.length, width] };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let from = 0;
  for (const part of parts) {
    whole.set(part, from);
    from += part.length;
  }
  return whole;
}
