/** Numbers that were measured once for each KV head of a model, and are read by schedules that tell heads apart. */
import { KvError } from "../error.ts";
import { invalid } from "../options.ts";
import type { ScheduleSizes } from "./schedule.ts";

/** How much each KV head matters. The scale is the measurement's own: schedules look at ratios and ranks. */
export interface HeadScores {
  /** What was measured on what: written into records beside the options of a method. */
  readonly label: string;
  /** [layers][kvHeads], finite, >= 0. */
  readonly values: readonly (readonly number[])[];
}

/**
 * Scores made elsewhere, such as those that papers publish; `loadHeads` reads those of `bun run measure`.
 *
 * @param values [layers][kvHeads], finite, >= 0; of a score per query head, take the mean over each group first
 * @param label what records call them; default "given"
 * @throws KvError `invalid_option` for other values, or layers of different numbers of heads
 */
export function headScores(values: readonly (readonly number[])[], label = "given"): HeadScores {
  const path = ["headScores", "values"];
  const heads = values[0]?.length ?? 0;
  if (heads === 0) throw invalid(path, values, "one list of numbers for each layer");
  for (const [layer, own] of values.entries()) {
    if (own.length !== heads) throw invalid([...path, layer], `${own.length} heads`, `${heads} heads, as in layer 0`);
    const wrong = own.findIndex((value) => !(Number.isFinite(value) && value >= 0));
    if (wrong >= 0) throw invalid([...path, layer, wrong], own[wrong], "a finite number >= 0");
  }
  return { label, values };
}

/** @throws KvError `wrong_shape` unless what was measured has the model's numbers of layers and KV heads */
export function checkShape(path: readonly string[], found: readonly number[], allowed: readonly number[]): void {
  if (found.every((size, i) => size === allowed[i])) return;
  const hint = "it was made for another model";
  throw new KvError({ code: "wrong_shape", path, found, allowed: `${JSON.stringify(allowed)}, as the model`, hint });
}

/** The values of the layers that share a budget, if they fit the model. @throws KvError `wrong_shape` */
export function valuesFor({ values }: HeadScores, sizes: ScheduleSizes): HeadScores["values"] {
  checkShape(["heads"], [values.length, values[0]?.length ?? 0], [sizes.within?.depth ?? sizes.layers, sizes.kvHeads]);
  return ofLayers(values, sizes);
}

/** Of a list of one for each layer of the network, those of the layers that share a budget. */
export const ofLayers = <T>(all: readonly T[], { within }: ScheduleSizes): readonly T[] =>
  within === undefined ? all : all.filter((_, layer) => within.numbers.includes(layer));
