import { KvError } from "../../src/error.ts";
import { entriesShape } from "../shapes.ts";
import type { Stored } from "../tensor.ts";

/** Sizes of keys [KH, n, d] with positions [KH, n] and frequencies [d / 2]. @throws KvError `wrong_shape` */
export function ropeShape(
  keys: Stored,
  positions: Int32Array,
  frequencies: Float64Array,
): readonly [kvHeads: number, length: number, size: number] {
  const [kvHeads, length, size] = entriesShape("beforeRope", keys);
  if (positions.length !== kvHeads * length) fail("positions", positions.length, `${kvHeads * length}, one a key`);
  if (2 * frequencies.length !== size) fail("frequencies", frequencies.length, `half of a key's ${size} channels`);
  return [kvHeads, length, size];
}

function fail(argument: string, found: number, allowed: string): never {
  throw new KvError({ code: "wrong_shape", path: ["beforeRope", argument, "length"], found, allowed });
}
