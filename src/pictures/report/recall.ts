import type { Result } from "../../evaluate/index.ts";
import { recallByLayer } from "../charts/recall-by-layer.ts";
import type { Picture } from "../picture.ts";

/** Recall per layer, averaged over examples: a picture for each task and budget at which it was measured. */
export function recallPictures(results: readonly Result[]): readonly Picture[] {
  const measured = results.filter(({ recall }) => recall !== null);
  const groups = Map.groupBy(measured, ({ task, budget }) => JSON.stringify([task, budget]));
  return [...groups.values()].map((group) => {
    const methods = [...Map.groupBy(group, ({ method }) => method)];
    return recallByLayer(
      methods.map(([method, members]) => ({ method, recall: meanPerLayer(members.map(({ recall }) => recall ?? [])) })),
      { title: `${group[0]?.task}: attention recall at budget ${group[0]?.budget}` },
    );
  });
}

/** Over those that have the layer. */
function meanPerLayer(lists: readonly (readonly number[])[]): readonly number[] {
  const layers = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: layers }, (_, layer) => {
    const values = lists.flatMap((list) => list[layer] ?? []);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}
