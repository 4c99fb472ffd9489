/** Layers by positions: above, in each row, the attention of the prompt's last tokens, below it what is kept and what was generated. */
import { holders, type Snapshot } from "../run.ts";
import { columnLeft, type Grid, gridIn, layerTop, rowHeight } from "./grid.ts";
import { layerLabels, paint, type Surface } from "./paint.ts";

export const mapGrid = ({ clientWidth, clientHeight }: HTMLCanvasElement, { funnel, room }: Snapshot): Grid =>
  gridIn(clientWidth, clientHeight, funnel.layers.length, room);

export function drawMap(canvas: HTMLCanvasElement, shown: Snapshot, chosen: number): void {
  const { funnel, held, room, generated } = shown;
  const words = `Attention and kept entries of ${funnel.layers.length} layers over ${funnel.length} tokens of the prompt and ${generated.length} generated ones. The table below has the numbers.`;
  paint(canvas, words, (surface) => {
    const grid = mapGrid(canvas, shown);
    layerLabels(surface, grid, chosen);
    for (const [layer, { mass }] of funnel.layers.entries()) {
      attention(surface, grid, layer, mass, funnel.edges);
      const heads = held?.places[layer];
      if (heads !== undefined) kept(surface, grid, layer, holders(heads, room), heads.length, funnel.length);
    }
    frame(surface, grid, funnel.length);
  });
}

/** Darker with the square root of attention, so that more than its peaks are seen. */
function attention(
  { pen, colour }: Surface,
  grid: Grid,
  layer: number,
  mass: readonly number[],
  edges: readonly number[],
) {
  const each = mass.map((share, bin) => share / ((edges[bin + 1] ?? 0) - (edges[bin] ?? 0)));
  const most = Math.max(...each);
  pen.fillStyle = colour("attention");
  for (const [bin, share] of each.entries())
    cell(pen, grid, layer, [edges[bin] ?? 0, edges[bin + 1] ?? 0], "above", Math.sqrt(share / most));
}

function kept({ pen, colour }: Surface, grid: Grid, layer: number, counts: Uint16Array, heads: number, length: number) {
  for (const [place, count] of counts.entries()) {
    pen.fillStyle = colour(place < length ? "kept" : "fresh");
    if (count > 0) cell(pen, grid, layer, [place, place + 1], "below", 0.25 + (0.75 * count) / heads);
  }
}

function cell(
  pen: CanvasRenderingContext2D,
  grid: Grid,
  layer: number,
  [begin, end]: readonly [number, number],
  half: "above" | "below",
  alpha: number,
): void {
  const size = rowHeight(grid);
  const inner = 0.84 * size;
  const top = layerTop(grid, layer) + 0.08 * size + (half === "above" ? 0 : inner / 2);
  const left = columnLeft(grid, begin);
  pen.globalAlpha = alpha;
  pen.fillRect(left, top, Math.max(1, columnLeft(grid, end) - left - 0.3), inner / 2);
  pen.globalAlpha = 1;
}

/** Where the prompt ends, and positions. */
function frame({ pen, colour, height }: Surface, grid: Grid, length: number): void {
  const end = columnLeft(grid, length);
  pen.fillStyle = colour("line");
  pen.fillRect(end, grid.top, 1, grid.height);
  pen.fillStyle = colour("quiet");
  const labels = [
    { at: 0, text: "0", align: "left" },
    { at: length / 2, text: `${Math.round(length / 2)}`, align: "center" },
    { at: length, text: `${length} tokens of prompt`, align: "right" },
  ] as const;
  for (const { at, text, align } of labels) {
    pen.textAlign = align;
    pen.fillText(text, columnLeft(grid, at), height - 9);
  }
}
