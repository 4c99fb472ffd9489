/** The funnel: for each layer, over how many tokens its attention is spread, and around it how many entries are kept. */
import { keptOfPrompt, type Snapshot } from "../run.ts";
import { gridIn, layerTop, rowHeight } from "./grid.ts";
import { layerLabels, paint } from "./paint.ts";

export function drawFunnel(canvas: HTMLCanvasElement, { funnel, held }: Snapshot, chosen: number): void {
  const { layers, length } = funnel;
  const spread = layers.map(({ effectiveTokens }) => effectiveTokens);
  const kept = held?.places.map((heads) => keptOfPrompt(heads, length)) ?? [];
  paint(canvas, inWords(spread, kept), (surface) => {
    const { pen, width, height, colour } = surface;
    const grid = gridIn(width, height, layers.length, 1);
    const most = Math.max(...spread, ...kept);
    const middle = grid.left + grid.width / 2;
    const size = rowHeight(grid);
    const half = (count: number) => (count / most) * (grid.width / 2);
    layerLabels(surface, grid, chosen);
    for (const [layer, count] of spread.entries()) {
      pen.fillStyle = colour("attention");
      pen.globalAlpha = 0.85;
      pen.fillRect(middle - half(count), layerTop(grid, layer) + 0.15 * size, 2 * half(count), 0.7 * size);
    }
    pen.globalAlpha = 1;
    for (const [layer, count] of kept.entries()) {
      const [left, top] = [middle - half(count), layerTop(grid, layer) + 0.15 * size];
      pen.fillStyle = pen.strokeStyle = colour("kept");
      pen.lineWidth = 2;
      pen.globalAlpha = 0.35;
      pen.fillRect(left, top, 2 * half(count), 0.7 * size);
      pen.globalAlpha = 1;
      pen.strokeRect(left, top, 2 * half(count), 0.7 * size);
    }
    pen.fillStyle = colour("quiet");
    pen.textAlign = "center";
    pen.fillText(`${Math.round(most)} of ${length} tokens across`, middle, height - 9);
  });
}

function inWords(spread: readonly number[], kept: readonly number[]): string {
  const ends = (counts: readonly number[]) =>
    `${counts.at(0)?.toFixed(1)} in the lowest layer, ${counts.at(-1)?.toFixed(1)} in the highest`;
  const of = kept.length === 0 ? "" : ` Entries kept per KV head: ${ends(kept)}.`;
  return `Attention is spread over so many tokens: ${ends(spread)}.${of}`;
}
