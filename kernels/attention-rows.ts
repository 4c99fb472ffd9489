import { attentionRow } from "./attention-row.ts";
import type { AttentionShape } from "./shapes.ts";
import type { Tensor, Visibility } from "./tensor.ts";

/** What one query attends to. */
export interface AttentionRow {
  readonly head: number;
  /** The how manieth of its head's queries it is. */
  readonly query: number;
  /** Where it stands among the keys. */
  readonly position: number;
  /** Its attention to each key, [n], in double precision; 0 for those it does not see. */
  readonly attention: Float64Array;
}

/** Query by query, for the reference kernels: queries [H, s, d] are those at the last of the positions of keys [KH, n, d]. */
export function* attentionRows(
  { heads, group, queries: count, length, size }: AttentionShape,
  queries: Tensor,
  keys: Tensor,
  visibility: Visibility,
): Generator<AttentionRow> {
  for (let head = 0; head < heads; head++) {
    const kvHead = Math.floor(head / group);
    const headKeys = keys.data.subarray(kvHead * length * size, (kvHead + 1) * length * size);
    for (let query = 0; query < count; query++) {
      const numbers = queries.data.subarray((head * count + query) * size, (head * count + query + 1) * size);
      const position = length - count + query;
      yield { head, query, position, attention: attentionRow(numbers, headKeys, position, visibility) };
    }
  }
}
