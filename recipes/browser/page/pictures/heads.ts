/** One layer: what each of its KV heads holds, which need not be the same places nor as many. */
import type { Snapshot } from "../run.ts";
import { columnLeft, gridIn, layerTop, rowHeight } from "./grid.ts";
import { paint } from "./paint.ts";

export function drawHeads(canvas: HTMLCanvasElement, { held, room, funnel }: Snapshot, layer: number): void {
  const heads = held?.places[layer] ?? [];
  const words = `Entries held in layer ${layer}: ${heads.map(({ length }, head) => `${length} by head ${head}`).join(", ")}.`;
  paint(canvas, words, ({ pen, width, height, colour }) => {
    const grid = gridIn(width, height, heads.length, room);
    const size = rowHeight(grid);
    for (const [head, places] of heads.entries()) {
      const top = layerTop(grid, heads.length - 1 - head); // head 0 is the uppermost
      pen.globalAlpha = 0.5;
      pen.fillStyle = colour("line");
      pen.fillRect(grid.left, top + 0.1 * size, grid.width, 0.8 * size);
      pen.globalAlpha = 1;
      for (const place of places) {
        pen.fillStyle = colour(place < funnel.length ? "kept" : "fresh");
        const left = columnLeft(grid, place);
        pen.fillRect(left, top + 0.1 * size, Math.max(1, columnLeft(grid, place + 1) - left - 0.3), 0.8 * size);
      }
      pen.fillStyle = colour("quiet");
      pen.textAlign = "right";
      pen.fillText(`${head}`, grid.left - 6, top + size / 2);
    }
    pen.fillStyle = colour("quiet");
    pen.textAlign = "left";
    pen.fillText(heads.map(({ length }, head) => `head ${head}: ${length} entries`).join("   "), grid.left, height - 9);
  });
}
