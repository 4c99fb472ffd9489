/** Canvases in CSS pixels, with the page's colours. */
import { type Grid, layerTop, rowHeight } from "./grid.ts";

export interface Surface {
  readonly pen: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  /** As the page's style sheet has it, which knows of dark screens. */
  colour(name: "ink" | "quiet" | "line" | "attention" | "kept" | "fresh"): string;
}

/** Draws afresh, as sharp as the screen is; what the picture shows is said in words, too. */
export function paint(canvas: HTMLCanvasElement, words: string, draw: (surface: Surface) => void): void {
  const pen = canvas.getContext("2d");
  if (pen === null) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  canvas.ariaLabel = words;
  const style = getComputedStyle(canvas);
  pen.scale(devicePixelRatio, devicePixelRatio);
  pen.font = `11px ${style.fontFamily}`;
  pen.textBaseline = "middle";
  draw({ pen, width, height, colour: (name) => style.getPropertyValue(`--${name}`) });
}

/** Numbers of the layers, as many as fit, and a bar behind the one that is chosen. */
export function layerLabels({ pen, width, colour }: Surface, grid: Grid, chosen: number): void {
  const size = rowHeight(grid);
  const every = Math.max(1, Math.ceil(14 / size));
  pen.fillStyle = colour("line");
  pen.globalAlpha = 0.6;
  pen.fillRect(0, layerTop(grid, chosen), width, size);
  pen.globalAlpha = 1;
  pen.textAlign = "right";
  for (let layer = 0; layer < grid.rows; layer++) {
    // A number beside the chosen one's would lie over it.
    if (layer !== chosen && (layer % every !== 0 || Math.abs(layer - chosen) < every)) continue;
    pen.fillStyle = colour(layer === chosen ? "ink" : "quiet");
    pen.fillText(`${layer}`, grid.left - 8, layerTop(grid, layer) + size / 2);
  }
}
