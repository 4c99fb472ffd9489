import { z } from "zod";
import { checked } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import type { Merge, MergeView, Pairs } from "./merge.ts";

export interface KVMergerOptions {
  /** Neighbouring keys with a higher cosine belong to one set; in [-1, 1], default 0.75. */
  readonly threshold?: number | undefined;
}

const error = "a number in [-1, 1]";
const schema = z.object({ threshold: z.number(error).min(-1, error).max(1, error).default(0.75) });

/**
 * KVMerger: an evicted entry is merged into the nearest kept one of the same run of neighbours with similar keys, by a Gaussian kernel of
 * the distance of their keys. What has no kept entry in its run is dropped. The paper takes the member of a run that attention
 * likes best for its centre; here it is the one that the method kept.
 *
 * @formula j and j + 1 are in one run if cos(k_j, k_(j+1)) > threshold; g_e = exp(-|k_e - k_c|^2 / (2 s^2)), s = mean of |k_e - k_c|
 *   over the e of c, divided by sqrt(2); k_c <- (k_c + sum over e of g_e k_e) / (1 + sum over e of g_e), the same for v.
 * @cost n dot products of keys in every layer and KV head.
 * @memory That of the selection.
 * @helps Where the selection keeps some of every stretch of text; a run without a kept entry is lost as without merging.
 *   On SmolLM2-135M it did the least harm of all merges, and no good that 12 needles and 12 few-shot questions could show (2026-11).
 * @see https://arxiv.org/abs/2407.08454 section 4
 */
export function kvMerger(options: KVMergerOptions = {}): Merge {
  const { threshold } = checked(schema, options, "kvMerger");
  return {
    name: "kvmerger",
    options: { threshold },
    needs: {},
    sides: "keys and values",
    async pair(view) {
      const keys = await view.kernels.read(view.keys);
      return view.kept.map((_, head) => neighbours({ ...view, keys }, head, threshold));
    },
    weigh(distances) {
      const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
      const masses = distances.map((distance) => (mean === 0 ? 1 : Math.exp(-((distance / mean) ** 2))));
      const total = masses.reduce((sum, mass) => sum + mass, 1);
      return { own: 1 / total, others: masses.map((mass) => mass / total) };
    },
  };
}

/** Nearness is the distance of the two keys. */
function neighbours(
  { kept, keys, length }: Pick<MergeView<Tensor>, "kept" | "keys" | "length">,
  head: number,
  threshold: number,
): Pairs {
  const size = keys.dims[2] ?? 0;
  const own = kept[head] ?? new Int32Array(0);
  const key = (row: number) => keys.data.subarray((head * length + row) * size, (head * length + row + 1) * size);
  const runs = runsOf(length, (row) => cosine(key(row), key(row + 1)) > threshold);
  const pairs: { row: number; place: number }[] = [];
  const isKept = new Set(own);
  let next = 0;
  for (let row = 0; row < length; row++) {
    if (isKept.has(row)) next++;
    else {
      const near = [next - 1, next].filter((place) => own[place] !== undefined && runs[own[place]] === runs[row]);
      const [first, second] = near;
      if (first === undefined) continue;
      const later = second !== undefined && (own[second] ?? 0) - row < row - (own[first] ?? 0);
      pairs.push({ row, place: later ? second : first });
    }
  }
  return {
    rows: pairs.map(({ row }) => row),
    places: pairs.map(({ place }) => place),
    nearness: pairs.map(({ row, place }) => distance(key(row), key(own[place] ?? 0))),
  };
}

/** The number of each row's run. @param joined whether a row and the next are in one */
function runsOf(length: number, joined: (row: number) => boolean): Int32Array {
  const runs = new Int32Array(length);
  for (let row = 1; row < length; row++) runs[row] = (runs[row - 1] ?? 0) + (joined(row - 1) ? 0 : 1);
  return runs;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const norms = Math.sqrt(dot(a, a) * dot(b, b));
  return norms > 0 ? dot(a, b) / norms : 0;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}
