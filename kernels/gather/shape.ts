import { KvError } from "../../src/error.ts";
import { checkDims } from "../shapes.ts";
import type { Stored } from "../tensor.ts";

export interface GatherShape {
  readonly length: number;
  readonly size: number;
  readonly total: number;
}

/** Sizes of entries [KH, n, d] and how many rows are picked of them. @throws KvError `wrong_shape` */
export function gatherShape(entries: Stored, rows: readonly Int32Array[]): GatherShape {
  const [heads = 0, length = 0, size = 0] = entries.dims;
  checkDims("gather", "entries", entries, [heads, length, size]);
  if (rows.length !== heads) {
    const allowed = `${heads}, one list per KV head`;
    throw new KvError({ code: "wrong_shape", path: ["gather", "rows", "length"], found: rows.length, allowed });
  }
  rows.forEach((list, h) => {
    const wrong = list.find((r) => r < 0 || r >= length);
    if (wrong !== undefined) {
      const path = ["gather", "rows", h];
      throw new KvError({ code: "wrong_shape", path, found: wrong, allowed: `from 0 to ${length - 1}` });
    }
  });
  return { length, size, total: rows.reduce((sum, list) => sum + list.length, 0) };
}

/** Lists of rows, one per KV head of n entries, as rows of [KH * n, d]. */
export function flatRows(rows: readonly Int32Array[], length: number): Uint32Array<ArrayBuffer> {
  const flat = new Uint32Array(rows.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const [head, list] of rows.entries()) for (const row of list) flat[at++] = head * length + row;
  return flat;
}
