/**
 * LU-KV's curves: for every share of the cache that is kept, which share of its own each head should keep so that what the tokens to come
 * attend to is lost least, given that a method's scores choose within a head.
 */
import { type BudgetCurves, budgetCurves } from "../allocation/budget-curves.ts";
import { checkShape } from "../allocation/head-scores.ts";
import { KvError } from "../error.ts";
import type { Model } from "../load.ts";
import type { Method } from "../methods/method.ts";
import { observations } from "../observations.ts";
import { prefill } from "../prefill.ts";
import type { Measured } from "../scoring/measured.ts";
import type { LayerView } from "../scoring/score.ts";
import type { Tensor } from "../tensor.ts";
import { loadMeasured, sound } from "./file.ts";
import { importanceOf } from "./future-importance.ts";
import { nonIncreasing } from "./non-increasing.ts";
import { addTo, eachSequence, type MeasureOptions, measurementOf } from "./take.ts";

/** One table for every hundredth of the cache, none and all left out. */
const TABLES = 99;

/** One tensor [tables, L, KH], and the same as `alongCurves` and `luKV` take it. */
export type MeasuredCurves = Measured<"curves"> & BudgetCurves;

export interface CurveOptions extends MeasureOptions {
  /** Whose scores choose within a head; its budget and schedule have no part in it. */
  readonly method: Method;
  /** The last tokens of each text, whose attention to what is before them is the truth; default 64. */
  readonly future?: number;
}

/**
 * The curves, averaged over texts.
 *
 * Of every text, the part before its last `future` tokens is the prompt. An entry is worth the most that any later query would draw
 * from it, max over i of A[h,i,j] |W_O v_j|, averaged over the group. What each further entry of a head adds, in the order of the
 * method's scores, is made non-increasing (pool adjacent violators), and a budget goes to the largest of all heads together.
 *
 * @param texts tokens of a corpus, each text run on its own
 * @throws KvError `empty_prompt`, `prompt_too_long`, `invalid_token`, `aborted`; `invalid_option` for a method without scores, or a text
 *   that leaves nothing to choose from
 * @see https://arxiv.org/abs/2602.08585
 */
export async function measureCurves(
  model: Model,
  texts: readonly Int32Array[],
  { method, future = 64, ...options }: CurveOptions,
): Promise<MeasuredCurves> {
  const { layers, kvHeads } = model.config;
  const sums = new Float64Array(TABLES * layers * kvHeads);
  await eachSequence(model, texts, options, async (text) => {
    addTo(sums, shares(await gainsOf(model, text, method, future, options.signal), kvHeads));
  });
  const data = Float32Array.from(sums, (sum) => sum / texts.length);
  const tensors = new Map([["curves", { data, dims: [TABLES, layers, kvHeads] }]]);
  const settings = { method: method.name, future, ...options.settings };
  return curvesOf(model, await measurementOf("curves", model, texts, tensors, settings));
}

/**
 * Loads curves that were measured on this model.
 *
 * @throws KvError `wrong_model` for those of other weights, `corrupt_file`, `unsupported_format` for another kind of file, and whatever
 *   reading a file throws
 */
export const loadCurves = async (model: Model, path: string): Promise<MeasuredCurves> => {
  const measured = await loadMeasured(model, path, "curves");
  return sound(path, () => curvesOf(model, measured));
};

function curvesOf({ config: { layers, kvHeads } }: Model, measured: Measured<"curves">): MeasuredCurves {
  const { data, dims } = measured.tensors.get("curves") ?? { data: new Float32Array(0), dims: [] };
  const [count = 0, ...shape] = dims;
  checkShape(["curves"], shape, [layers, kvHeads]);
  const own = (row: number) => [...data.subarray(row * kvHeads, (row + 1) * kvHeads)];
  const tables = Array.from({ length: count }, (_, table) =>
    Array.from({ length: layers }, (_, layer) => own(table * layers + layer)),
  );
  return { ...measured, ...budgetCurves(tables, measured.label) };
}

/** What each further entry of every head adds, non-increasing: [layers] of [KH, m]. */
async function gainsOf(
  model: Model,
  text: Int32Array,
  method: Method,
  future: number,
  signal: AbortSignal | undefined,
): Promise<readonly Tensor[]> {
  const { score, keep } = method;
  if (score === null) throw unusable("a method without scores", "a method with scores");
  const length = text.length - future;
  const candidates = { from: keep.first, to: length - keep.last };
  if (candidates.to <= candidates.from)
    throw unusable(`a text of ${text.length} tokens`, `longer than ${future + keep.first + keep.last}`);
  const prompt = text.subarray(0, length);
  using context = await prefill(model, prompt, { observe: [method], signal });
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
