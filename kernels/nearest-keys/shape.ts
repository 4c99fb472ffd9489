import { KvError } from "../../src/error.ts";
import { gatherShape } from "../gather/shape.ts";
import type { Stored } from "../tensor.ts";

/** Sizes of keys [KH, n, d] that are compared with some of their own. @throws KvError `wrong_shape` */
export function nearestShape(
  keys: Stored,
  rows: readonly Int32Array[],
): { readonly length: number; readonly size: number } {
  const { length, size } = gatherShape(keys, rows);
  const empty = length === 0 ? -1 : rows.findIndex((list) => list.length === 0);
  if (empty < 0) return { length, size };
  throw new KvError({
    code: "wrong_shape",
    path: ["nearestKeys", "rows", empty],
    found: [],
    allowed: "at least one row",
  });
}
