/** What every run of the decoder graph is fed, whatever its attention: rows of tokens, and which results are wanted. */
import type { ModelConfig } from "../../model/config.ts";
import type { Feed } from "../../onnx/session.ts";
import { rotations } from "./rope.ts";

export type Feeds = Record<string, Feed>;

/** A slice from here takes nothing. */
const NONE = BigInt(2 ** 40);

/** What every kind of run shares: S tokens at their positions. `logitsFrom` and `queriesFrom` are rows; null takes none. */
export interface Rows {
  readonly embeddings: Float32Array;
  readonly positions: Int32Array;
  readonly logitsFrom: number | null;
  readonly queriesFrom: number | null;
}

export function rowFeeds(config: ModelConfig, frequencies: Float64Array, rows: Rows): Feeds {
  const count = rows.positions.length;
  const last = rows.positions[count - 1] ?? 0;
  const { cos, sin } = rotations(frequencies, rows.positions);
  const first = (row: number | null): Feed => ({
    data: BigInt64Array.of(row === null ? NONE : BigInt(row)),
    dims: [1],
  });
  return {
    embeddings: { data: rows.embeddings, dims: [count, config.hiddenSize] },
    cos: { data: cos, dims: [count, config.headDim / 2] },
    sin: { data: sin, dims: [count, config.headDim / 2] },
    index: { data: BigInt64Array.from({ length: count }, (_, i) => BigInt(i)), dims: [1, count] },
    lastPosition: { data: Int32Array.of(last), dims: [1] },
    totalLength: { data: Int32Array.of(last + 1), dims: [] },
    logitsFrom: first(rows.logitsFrom),
    queriesFrom: first(rows.queriesFrom),
  };
}
