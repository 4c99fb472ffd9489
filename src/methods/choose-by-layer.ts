/** What a method keeps, layer by layer: for a prefill that lets go of one layer before it runs the next. */
import type { ScheduleRequest } from "../allocation/schedule.ts";
import type { LayerObservation } from "../scoring/score.ts";
import type { Method } from "./method.ts";
import { best, candidatesOf, range, type Selection, sameForHeads, scoresOf, sizesFor } from "./select.ts";
import { keptWindows } from "./sliding-layers.ts";

/** The positions that one layer keeps, ascending: [kvHead]. The same as `select` gives it. */
export type LayerChooser = (layer: number, observed: LayerObservation) => Promise<Selection[number]>;

/** A prompt on a network, before it runs. */
export interface Ahead {
  readonly length: number;
  readonly kvHeads: number;
  /** Of each layer. */
  readonly slidingWindow: readonly (number | null)[];
}

/** null where a method's layers compete for the budget, so that none can be chosen in before all were seen. */
export async function layerChooser(method: Method, ahead: Ahead): Promise<LayerChooser | null> {
  const { length, kvHeads, slidingWindow } = ahead;
  const windows = keptWindows(slidingWindow);
  const numbers = [...windows.keys()].filter((layer) => windows[layer] === null);
  const whole = sameForHeads(kvHeads, range(0, length));
  const counts = length <= method.budget ? () => Promise.resolve([]) : await countsByLayer(method, ahead, numbers);
  if (counts === null) return null;
  return async (layer, observed) => {
    const window = windows[layer] ?? null;
    if (window !== null) return sameForHeads(kvHeads, range(Math.max(0, length - window), length));
    if (length <= method.budget) return whole;
    let known: ReturnType<typeof scoresOf> | null = null;
    const scores = () => {
      known ??= scoresOf(method, { ...observed, candidates: candidatesOf(method, length) });
      return known;
    };
    return best(method, observed, await counts(numbers.indexOf(layer), scores), scores);
  };
}

type Counts = (index: number, scores: () => ReturnType<typeof scoresOf>) => Promise<readonly number[]>;

async function countsByLayer(method: Method, ahead: Ahead, numbers: readonly number[]): Promise<Counts | null> {
  const sizes = sizesFor(method, { ...ahead, depth: ahead.slidingWindow.length, numbers });
  const { ofLayer } = method.allocate;
  if (ofLayer !== undefined) return (index, scores) => ofLayer({ ...sizes, scores, view: notYet }, index);
  let asked = false;
  const ask = () => {
    asked = true;
    return notYet();
  };
  const all: ScheduleRequest = { ...sizes, scores: ask, view: ask };
  // A schedule that looks at a layer at all looks at every one.
  const counts = await Promise.resolve(method.allocate(all)).catch((fault: unknown) => {
    if (asked) return null;
    throw fault;
  });
  return counts === null ? null : async (index) => counts[index] ?? [];
}

const notYet = (): Promise<never> => Promise.reject(new Error("no layer was run yet"));
