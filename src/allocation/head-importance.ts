import { invalid } from "../options.ts";
import { type HeadScores, valuesFor } from "./head-scores.ts";
import { overHeads } from "./over-layers.ts";
import type { Schedule } from "./schedule.ts";
import { withFloor } from "./share-out.ts";

export interface HeadImportanceOptions {
  /** Importance of each KV head. */
  readonly heads: HeadScores;
  /** Part of every head's even share that goes to the common pool, as 1 / beta: > 1, default 1.01, so nearly all of it. */
  readonly beta?: number;
}

/**
 * HeadKV's schedule: every head keeps `mean (1 - 1 / beta)` whatever its importance, and the rest is a pool, over all layers and
 * heads together, that goes to them in proportion to it. What a full head cannot take goes to the others.
 *
 * @throws KvError `invalid_option` for another beta; when used, `wrong_shape` on a model of other layers or heads
 * @see https://arxiv.org/abs/2410.19258 section 3.3
 */
export function headImportance({ heads, beta = 1.01 }: HeadImportanceOptions): Schedule {
  if (!(beta > 1 && Number.isFinite(beta))) throw invalid(["headImportance", "beta"], beta, "a finite number > 1");
  const schedule: Schedule = (request) => {
    const values = valuesFor(heads, request);
    const mixed = withFloor(values.flat(), 1 - 1 / beta);
    const weights = values.map((own, layer) => own.map((_, head) => mixed[layer * request.kvHeads + head] ?? 0));
    return overHeads(weights, request);
  };
  return Object.assign(schedule, { namesHeads: true } as const);
}
