import { invalid } from "../options.ts";
import { checkShape, type HeadScores, headScores } from "./head-scores.ts";
import { overHeads } from "./over-layers.ts";
import type { Schedule } from "./schedule.ts";

/** Which share of its candidates each KV head should keep, for shares of all that are kept; measured once for a model and a score. */
export interface BudgetCurves {
  /** What was measured on what: written into records beside the options of a method. */
  readonly label: string;
  /** Of c tables [layers][kvHeads], the i-th (from 1) is for a total share of i / (c + 1); values in [0, 1]. */
  readonly tables: readonly HeadScores["values"][];
}

/**
 * Curves made elsewhere, such as those that LU-KV's authors publish (theirs are of what is dropped: one minus); `loadCurves` reads those
 * of `bun run measure`.
 *
 * @throws KvError `invalid_option` for values outside [0, 1], or tables of different shapes
 */
export function budgetCurves(tables: readonly HeadScores["values"][], label = "given"): BudgetCurves {
  const path = ["budgetCurves", "tables"];
  const [first] = tables;
  if (first === undefined) throw invalid(path, "none", "one table or more");
  for (const [i, table] of tables.entries()) {
    headScores(table);
    checkShape([...path, String(i)], [table.length, table[0]?.length ?? 0], [first.length, first[0]?.length ?? 0]);
    const above = table.flat().find((value) => value > 1);
    if (above !== undefined) throw invalid([...path, i], above, "shares in [0, 1]");
  }
  return { label, tables };
}

/**
 * LU-KV's schedule: heads have what they had, on average over the prompts that were measured, where the budget was spent so that the
 * attention of the tokens to come would lose least. Between two tables it is interpolated; the total is exact.
 *
 * @throws KvError `wrong_shape`, when used, on a model of other layers or heads
 * @see https://arxiv.org/abs/2602.08585
 */
export function alongCurves({ curves }: { readonly curves: BudgetCurves }): Schedule {
  const schedule: Schedule = (request) => {
    const { layers, within, kvHeads, mean, limit } = request;
    const { tables } = curves;
    checkShape(["curves"], [tables[0]?.length ?? 0, tables[0]?.[0]?.length ?? 0], [within?.depth ?? layers, kvHeads]);
    const at = limit === 0 ? 0 : (Math.min(mean, limit) / limit) * (tables.length + 1);
    const below = Math.min(Math.floor(at), tables.length);
    // Before the first table nothing is kept, and after the last one everything.
    const share = (table: number, layer: number, head: number) =>
      table === 0 ? 0 : (tables[table - 1]?.[within?.numbers[layer] ?? layer]?.[head] ?? 1);
    const weights = Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: kvHeads }, (_, head) => {
        const [low, high] = [share(below, layer, head), share(below + 1, layer, head)];
        return low + (at - below) * (high - low);
      }),
    );
    return overHeads(weights, request);
  };
  return Object.assign(schedule, { namesHeads: true } as const);
}
