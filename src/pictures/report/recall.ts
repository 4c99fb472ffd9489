import type { Result } from "../../evaluate/index.ts";
import { recallByLayer } from "../charts/recall-by-layer.ts";
import type { Picture } from "../picture.ts";

/**
 * Recall per layer, averaged over examples: a picture for each task and budget at which it was measured, budgets in ascending order. What
 * keeps everything has nothing to show.
 */
export function recallPictures(results: readonly Result[]): readonly Picture[] {
  const measured = results
    .filter(({ recall, budget }) => recall !== null && budget !== "all")
    .toSorted((a, b) => byCodeUnits(a.task, b.task) || Number.parseFloat(a.budget) - Number.parseFloat(b.budget));
  const groups = Map.groupBy(measured, ({ task, budget }) => JSON.stringify([task, budget]));
  return [...groups.values()].map((group) => {
    const methods = [...Map.groupBy(group, ({ method }) => method)];
    return recallByLayer(
      methods.map(([method, members]) => ({ method, recall: meanPerLayer(members.map(({ recall }) => recall ?? [])) })),
      { title: `${group[0]?.task}: attention recall at budget ${group[0]?.budget}` },
    );
  });
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Over those that have the layer. */
function meanPerLayer(lists: readonly (readonly number[])[]): readonly number[] {
  const layers = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: layers }, (_, layer) => {
    const values = lists.flatMap((list) => list[layer] ?? []);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}
