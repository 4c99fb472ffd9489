/**
 * MiniCache's merge of neighbouring layers (arXiv 2405.14366, section 4): of a token that both layers of a pair hold, they share one
 * direction for its keys and one for its values, and each has its own norms. In a layer it stands for the direction times the norm.
 *
 * Generated tokens stay in full, where the paper merges them too: 32 of them are 6 % of a cache of 500, of which that would save a
 * fifth, and to make room in one allocation all directions would be copied again each time (2026-11).
 */
import { type CacheEntries, compacted } from "../evict.ts";
import { offsetsOf } from "../layer.ts";
import { emptyTail } from "../tail.ts";
import type { CompactEntries } from "./entries.ts";
import { type CrossLayer, type OriginsOf, rowOf, type Shared, sharedTokens } from "./pairs.ts";
import { norm, slerp } from "./slerp.ts";

type Part = "keys" | "values";

/**
 * What pairs of layers share, and the rest, without the tail.
 *
 * @param stored each head's entries in the order of their positions
 */
export function mergedAcross(
  merge: CrossLayer,
  stored: CacheEntries,
  origins: OriginsOf,
): Pick<CacheEntries, "layers"> & { readonly compact: CompactEntries } {
  const { kvHeads, headDim } = stored.geometry;
  const tokens = sharedTokens(merge, stored, origins);
  const byLayer = stored.layers.map((_, layer) => tokens.filter(({ lower }) => lower === layer || lower === layer - 1));
  const byHead = byLayer.map((own) =>
    Array.from({ length: kvHeads }, (_, head) => own.filter((token) => token.head === head)),
  );
  const begins = byLayer.map(([first]) => (first === undefined ? 0 : tokens.indexOf(first)));
  const gone = byHead.map((heads, layer) =>
    heads.map((own, head) => own.map((token) => rowIn(token, layer) - (stored.layers[layer]?.offsets[head] ?? 0))),
  );
  const directions = (part: Part) => {
    const floats = new Float32Array(tokens.length * headDim);
    for (const [i, { lower, rows, angles }] of tokens.entries()) {
      const [below, above] = [rowOf(stored, part, lower, rows[0]), rowOf(stored, part, lower + 1, rows[1])];
      floats.set(slerp(below, above, angles[part === "keys" ? 0 : 1], merge.interpolation), i * headDim);
    }
    return { codes: new Uint8Array(0), floats };
  };
  const norms = (part: Part) =>
    Float32Array.from(
      byLayer.flatMap((own, layer) => own.map((token) => norm(rowOf(stored, part, layer, rowIn(token, layer))))),
    );
  return {
    layers: compacted({ ...stored, tail: emptyTail }, gone),
    compact: {
      form: { bits: null, recent: merge.recent, channels: null },
      keys: directions("keys"),
      values: directions("values"),
      layers: byHead.map((heads) => ({
        positions: Int32Array.from(heads.flat(), ({ position }) => position),
        offsets: offsetsOf(heads.map(({ length }) => length)),
      })),
      begins,
      norms: { keys: norms("keys"), values: norms("values") },
    },
  };
}

const rowIn = ({ lower, rows }: Shared, layer: number): number => rows[layer === lower ? 0 : 1];
