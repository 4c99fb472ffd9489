/** What every run of the decoder graph is fed, whatever its attention: rows of tokens, and which results are wanted. */
import type { ModelConfig } from "../../model/config.ts";
import type { Feed } from "../../onnx/session.ts";
import type { RotaryTables } from "../rotary-tables.ts";

export type Feeds = Record<string, Feed>;

/** A slice from here takes nothing. */
const NONE = 2 ** 40;

/** What every kind of run shares: S tokens at their positions. `logitsFrom` and `queriesFrom` are rows; null takes none. */
export interface Rows {
  readonly embeddings: Float32Array;
  readonly positions: Int32Array;
  readonly logitsFrom: number | null;
  readonly queriesFrom: number | null;
}

export function rowFeeds({ hiddenSize }: ModelConfig, rotary: RotaryTables, rows: Rows): Feeds {
  const { embeddings, positions, logitsFrom, queriesFrom } = rows;
  const turned = rotary.at(positions);
  return {
    ...turned.tables,
    embeddings: { data: embeddings, dims: [positions.length, hiddenSize] },
    positions: { data: BigInt64Array.from(turned.rows, BigInt), dims: [1, positions.length] },
    logitsFrom: { data: BigInt64Array.of(BigInt(logitsFrom ?? NONE)), dims: [1] },
    queriesFrom: { data: BigInt64Array.of(BigInt(queriesFrom ?? NONE), 0n), dims: [2] },
  };
}
