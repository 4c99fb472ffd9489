import { argmax as ofRow } from "../../src/tensor.ts";
import { row, type Tensor } from "../tensor.ts";

/** logits [S, V] -> S tokens */
export const argmax = (logits: Tensor): readonly number[] =>
  Array.from({ length: logits.dims[0] ?? 0 }, (_, s) => ofRow(row(logits, s)));
