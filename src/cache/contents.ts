/** What a cache consists of, as one value: a cache that changes takes another (changes.ts). */
import { KvError } from "../error.ts";
import { bytesOf, type CompactEntries } from "./compact/entries.ts";
import { type Held, NOTHING_SEEN, type TokenSight } from "./decider.ts";
import type { CacheGeometry, LayerEntries } from "./layer.ts";
import type { Origins } from "./origins.ts";
import { emptyTail, type Tail } from "./tail.ts";

/** What a cache is made of. */
export interface CacheContents {
  /** Identity of the model whose keys and values these are. */
  readonly model: string;
  readonly geometry: CacheGeometry;
  readonly layers: readonly LayerEntries[];
  /** The position of the next token: tokens seen so far, kept or not, unless positions are packed. */
  readonly length: number;
  /** Logits of the next token: [vocab]. */
  readonly logits: Float32Array;
  readonly tail?: Tail;
  /** What the newest token showed. */
  readonly sight?: TokenSight;
  /** What the prompt's attention gave to the entries of `layers` (decider.ts), where it was observed. */
  readonly received?: readonly Float32Array[] | null;
  /** Entries older than those of `layers`, in another form. */
  readonly compact?: CompactEntries | null;
  /** Where entries come from whose positions are packed; null where positions are true. */
  readonly origins?: Origins | null;
}

/** The same with nothing left out. */
export interface Contents extends Held, Required<CacheContents> {}

export const complete = (given: CacheContents): Contents => ({
  tail: emptyTail,
  sight: NOTHING_SEEN,
  received: null,
  compact: null,
  origins: null,
  ...given,
});

/** The contents of a cache that was not disposed. @throws KvError `disposed` */
export function inUse(contents: Contents | null): Contents {
  if (contents !== null) return contents;
  throw new KvError({
    code: "disposed",
    path: ["cache"],
    found: "disposed",
    allowed: "a cache in use",
    hint: "fork a cache to keep it beyond its scope",
  });
}

/** Bytes allocated for keys and values, in whatever form. */
export function allocatedBytes({ layers, tail, compact }: Contents): number {
  const buffers = new Set(layers.flatMap(({ keys, values }) => [keys.buffer, values.buffer]));
  const fp32 = [...buffers, tail.data.buffer].reduce((sum, buffer) => sum + buffer.byteLength, 0);
  return fp32 + (compact === null ? 0 : bytesOf(compact));
}
