import { KvError } from "../../src/error.ts";
import { checkDims, entriesShape } from "../shapes.ts";
import type { Stored, Tensor } from "../tensor.ts";

/** Sizes of vectors [KH, n, d] and of what they are shortened to, k. @throws KvError `wrong_shape`, `invalid_option` */
export function leverageShape(
  vectors: Stored,
  shortening: Tensor,
  ridge: number,
): readonly [kvHeads: number, length: number, size: number, short: number] {
  const [kvHeads, length, size] = entriesShape("leverage", vectors);
  const [, short = 0] = shortening.dims;
  checkDims("leverage", "shortening", shortening, [size, short]);
  if (Number.isFinite(ridge) && ridge > 0) return [kvHeads, length, size, short];
  throw new KvError({ code: "invalid_option", path: ["leverage", "ridge"], found: ridge, allowed: "a number > 0" });
}
