/**
 * LU-KV's curves: for every share of the cache that is kept, which share of its own each head should keep so that what the tokens to come
 * attend to is lost least, given that a method's scores choose within a head.
 */
import { type BudgetCurves, budgetCurves } from "../allocation/budget-curves.ts";
import { observations } from "../compress.ts";
import { KvError } from "../error.ts";
import type { Model } from "../load.ts";
import type { Method } from "../methods/method.ts";
import { prefill } from "../prefill.ts";
import type { LayerView } from "../scoring/score.ts";
import type { Tensor } from "../tensor.ts";
import { importanceOf } from "./future-importance.ts";
import { noPrompts } from "./heads.ts";
import { nonIncreasing } from "./non-increasing.ts";

/** One table for every hundredth of the cache, none and all left out. */
const TABLES = 99;

export interface CurveOptions {
  /** Whose scores choose within a head; its budget and schedule have no part in it. */
  readonly method: Method;
  /** The last tokens of each text, whose attention to what is before them is the truth; default 64. */
  readonly future?: number;
  /** What records call it; default "long-horizon utility under <method>". */
  readonly label?: string;
}

/**
 * The curves, averaged over texts.
 *
 * Of every text, the part before its last `future` tokens is the prompt. An entry is worth the most that any later query would draw
 * from it, max over i of A[h,i,j] |W_O v_j|, averaged over the group. What each further entry of a head adds, in the order of the
 * method's scores, is made non-increasing (pool adjacent violators), and a budget goes to the largest of all heads together.
 *
 * @param texts token ids
 * @throws KvError `invalid_option` for no texts, a method without scores, or a text that leaves nothing to choose from
 * @see https://arxiv.org/abs/2602.08585
 */
export async function measureCurves(
  model: Model,
  texts: Iterable<Int32Array>,
  { method, future = 64, label = `long-horizon utility under ${method.name}` }: CurveOptions,
): Promise<BudgetCurves> {
  const { layers, kvHeads } = model.config;
  const sums = new Float64Array(TABLES * layers * kvHeads);
  let count = 0;
  for (const text of texts) {
    const gains = await gainsOf(model, text, method, future);
    shares(gains, kvHeads).forEach((share, i) => {
      sums[i] = (sums[i] ?? 0) + share;
    });
    count++;
  }
  if (count === 0) throw noPrompts("measureCurves");
  const tables = Array.from({ length: TABLES }, (_, table) =>
    Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: kvHeads }, (_, head) =>
        fourDigits((sums[(table * layers + layer) * kvHeads + head] ?? 0) / count),
      ),
    ),
  );
  return budgetCurves(tables, label);
}

/** Less than an entry of prompts up to 10,000 tokens, and a third of the file. */
const fourDigits = (share: number) => Math.round(share * 1e4) / 1e4;

/** What each further entry of every head adds, non-increasing: [layers] of [KH, m]. */
async function gainsOf(model: Model, text: Int32Array, method: Method, future: number): Promise<readonly Tensor[]> {
  const { score, keep } = method;
  if (score === null) throw unusable("a method without scores", "a method with scores");
  const length = text.length - future;
  const candidates = { from: keep.first, to: length - keep.last };
  if (candidates.to <= candidates.from)
    throw unusable(`a text of ${text.length} tokens`, `longer than ${future + keep.first + keep.last}`);
  const prompt = text.subarray(0, length);
  using context = await prefill(model, prompt, { observe: [method] });
  const importance = await importanceOf(model, context, text.subarray(length));
  const gains: Tensor[] = [];
  for (const [layer, observed] of observations(context).entries()) {
    const view: LayerView = { ...observed, candidates };
    gains.push(inOrder(await score.evaluate(view), importance[layer], view));
  }
  return gains;
}

function inOrder(scores: Tensor, importance: Tensor | undefined, { candidates, length, kvHeads }: LayerView): Tensor {
  const columns = candidates.to - candidates.from;
  const gains = new Float32Array(kvHeads * columns);
  for (let head = 0; head < kvHeads; head++) {
    const at = (column: number) => scores.data[head * columns + column] ?? Number.NaN;
    const order = Array.from({ length: columns }, (_, column) => column).sort((a, b) => at(b) - at(a) || a - b);
    const worth = order.map((column) => importance?.data[head * length + candidates.from + column] ?? 0);
    gains.set(nonIncreasing(worth), head * columns);
  }
  return { data: gains, dims: [kvHeads, columns] };
}

/** Of each head what it has of the largest gains of all, for every table: [tables, layers, heads], flat. */
export function shares(gains: readonly Tensor[], kvHeads: number, tables = TABLES): Float64Array {
  const columns = gains[0]?.dims[1] ?? 0;
  const all = gains.flatMap(({ data }, layer) =>
    Array.from(data, (gain, i) => ({ gain, head: layer * kvHeads + Math.floor(i / columns) })),
  );
  all.sort((a, b) => b.gain - a.gain); // stable, so that of equal gains the lower head comes first
  const heads = gains.length * kvHeads;
  const counts = new Float64Array(heads);
  const found = new Float64Array(tables * heads);
  let spent = 0;
  for (let table = 0; table < tables; table++) {
    const total = Math.round(((table + 1) * all.length) / (tables + 1));
    for (; spent < total; spent++) {
      const head = all[spent]?.head ?? 0;
      counts[head] = (counts[head] ?? 0) + 1;
    }
    found.set(
      counts.map((count) => count / columns),
      table * heads,
    );
  }
  return found;
}

const unusable = (found: string, allowed: string) =>
  new KvError({ code: "invalid_option", path: ["measureCurves"], found, allowed });
