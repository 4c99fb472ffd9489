/** Entries of each layer with the heads one after the other, each with room for as many: [KH, capacity, d]. */
import type { Entries } from "../../../kernels/move-rows/index.ts";
import type { Selection } from "../../cache/selection.ts";
import type { PageStore } from "./page-store.ts";

export interface HeadArrays extends Disposable {
  readonly capacity: number;
  readonly layers: readonly Entries[];
  /** Bytes taken for keys and values. */
  readonly bytes: number;
}

export function headArrays(store: PageStore, capacity: number): HeadArrays {
  const { layers: count, kvHeads, headDim } = store.geometry;
  using made = new DisposableStack(); // so that what was made goes where the rest finds no room
  const empty = (label: string, ...dims: readonly number[]) => made.use(store.arrays.empty(label, ...dims));
  const layers = Array.from({ length: count }, () => ({
    keys: empty("prompt keys", kvHeads, capacity, headDim),
    values: empty("prompt values", kvHeads, capacity, headDim),
    positions: empty("prompt positions", kvHeads, capacity),
  }));
  const owned = made.move();
  return {
    capacity,
    layers,
    bytes: 2 * count * kvHeads * capacity * headDim * Float32Array.BYTES_PER_ELEMENT,
    [Symbol.dispose]: () => owned.dispose(),
  };
}

/** The first `length` of each head's entries, with room for others. */
export function copied(store: PageStore, from: HeadArrays, length: number, capacity: number): HeadArrays {
  const { kvHeads, headDim } = store.geometry;
  const to = headArrays(store, capacity);
  for (const [layer, source] of from.layers.entries())
    for (const name of ["keys", "values", "positions"] as const) {
      const row = (name === "positions" ? 1 : headDim) * Float32Array.BYTES_PER_ELEMENT;
      const target = entriesOf(to, layer);
      for (let head = 0; head < kvHeads; head++) {
        const [first, next] = [head * from.capacity * row, head * capacity * row];
        store.arrays.gpu.copy(source[name].block, first, target[name].block, next, length * row);
      }
    }
  return to;
}

/** The chosen entries in their heads' first rows, with the same room. */
export function gathered(store: PageStore, from: HeadArrays, selection: Selection): HeadArrays {
  const to = headArrays(store, from.capacity);
  for (const [layer, rows] of selection.entries()) {
    const slots = inHeads(rows, (head, _, i) => head * from.capacity + i);
    store.copyRows(entriesOf(from, layer), rowsOf(from, rows), entriesOf(to, layer), slots);
  }
  return to;
}

/** Where the chosen rows of each head are in a layer. */
export const rowsOf = ({ capacity }: HeadArrays, rows: Selection[number]): Uint32Array<ArrayBuffer> =>
  inHeads(rows, (head, row) => head * capacity + row);

/** A number for each of the chosen rows, head after head, and the how manieth of its head it is. */
function inHeads(
  rows: Selection[number],
  of: (head: number, row: number, i: number) => number,
): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(rows.reduce((sum, own) => sum + own.length, 0));
  let next = 0;
  for (const [head, own] of rows.entries()) for (let i = 0; i < own.length; i++) all[next++] = of(head, own[i] ?? 0, i);
  return all;
}

export function entriesOf({ layers }: HeadArrays, layer: number): Entries {
  const entries = layers[layer];
  if (entries === undefined) throw new RangeError(`no layer ${layer}`);
  return entries;
}
