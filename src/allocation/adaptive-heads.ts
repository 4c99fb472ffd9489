import { KvError } from "../error.ts";
import type { Tensor } from "../tensor.ts";
import type { FixedSchedule, Schedule, ScheduleRequest } from "./schedule.ts";
import { uniform } from "./uniform.ts";

export interface AdaptiveHeadsOptions {
  /** The share of a layer's mean that every head keeps whatever its scores, in [0, 1]; default 0.2. */
  readonly floor?: number | undefined;
  /** How much each layer has; default: all the same. */
  readonly layers?: FixedSchedule | undefined;
}

/**
 * AdaKV's schedule: within a layer, heads whose attention is spread out get more and concentrated ones less. Every head keeps its
 * `floor`, and what is left goes to the layer's highest scores, whichever heads they are of; of equal ones to the lower head, then the
 * lower position.
 *
 * @throws KvError `invalid_option` for a floor outside [0, 1]
 * @see https://arxiv.org/abs/2407.11550
 */
export function adaptiveHeads({ floor = 0.2, layers = uniform() }: AdaptiveHeadsOptions = {}): Schedule {
  if (!(floor >= 0 && floor <= 1))
    throw new KvError({ code: "invalid_option", path: ["adaptiveHeads", "floor"], found: floor, allowed: "in [0, 1]" });
  const ofLayer = async (request: ScheduleRequest, layer: number) => {
    const total = layers(request)[layer]?.reduce((sum, count) => sum + count, 0) ?? 0;
    const safe = Math.floor((floor * total) / request.kvHeads);
    return countsOf(await request.scores(layer), total, safe);
  };
  const schedule: Schedule = async (request) => {
    const counts: (readonly number[])[] = [];
    for (let layer = 0; layer < request.layers; layer++) counts.push(await ofLayer(request, layer));
    return counts;
  };
  return Object.assign(schedule, { ofLayer });
}

/** How many of a layer's `total` highest scores each head has, when the `safe` highest of each are in anyway. */
export function countsOf(scores: Tensor, total: number, safe: number): number[] {
  const [heads = 0, columns = 0] = scores.dims;
  const ranked = sortedRows(scores);
  const counts = ranked.map(() => safe);
  const next = (head: number) => ranked[head]?.[counts[head] ?? 0] ?? Number.NaN;
  for (let left = total - counts.reduce((sum, count) => sum + count, 0); left > 0; left--) {
    let best = -1;
    for (let head = 0; head < heads; head++) {
      const isOpen = (counts[head] ?? 0) < columns;
      if (isOpen && (best < 0 || next(head) > next(best))) best = head;
    }
    if (best < 0) break;
    counts[best] = (counts[best] ?? 0) + 1;
  }
  return counts;
}

/** Each row's scores, highest first. */
export function sortedRows({ data, dims: [rows = 0, columns = 0] }: Tensor): Float32Array[] {
  return Array.from({ length: rows }, (_, row) =>
    data
      .slice(row * columns, (row + 1) * columns)
      .sort()
      .reverse(),
  );
}
