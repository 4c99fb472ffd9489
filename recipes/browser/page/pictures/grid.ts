/** Where in a picture a layer and a position lie. */

/** Rows of equal height and columns of equal width, in a frame. */
export interface Grid {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly rows: number;
  readonly columns: number;
}

const LEFT = 30;
const BOTTOM = 22;

/** With room for numbers to the left and below. */
export const gridIn = (width: number, height: number, rows: number, columns: number): Grid => ({
  left: LEFT,
  top: 2,
  width: Math.max(1, width - LEFT - 2),
  height: Math.max(1, height - BOTTOM - 2),
  rows,
  columns,
});

export const rowHeight = ({ height, rows }: Grid): number => height / rows;

/** The upper edge of a layer's row: the lowest layer is at the bottom. */
export const layerTop = (grid: Grid, layer: number): number => grid.top + (grid.rows - 1 - layer) * rowHeight(grid);

export const columnLeft = ({ left, width, columns }: Grid, column: number): number => left + (column * width) / columns;

/** The layer and column under a point, or null beside the grid. */
export function cellAt(grid: Grid, x: number, y: number): { readonly layer: number; readonly column: number } | null {
  const column = Math.floor(((x - grid.left) / grid.width) * grid.columns);
  const row = Math.floor((y - grid.top) / rowHeight(grid));
  if (column < 0 || column >= grid.columns || row < 0 || row >= grid.rows) return null;
  return { layer: grid.rows - 1 - row, column };
}
