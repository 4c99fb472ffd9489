/** What becomes of a cache's contents as it is used. */
import { mergedAcross } from "./compact/cross-layer.ts";
import { emptyCompact, untilDue } from "./compact/entries.ts";
import type { CompactForm } from "./compact/form.ts";
import type { CrossLayer } from "./compact/pairs.ts";
import { settled } from "./compact/settle.ts";
import type { Contents } from "./contents.ts";
import { NOTHING_SEEN, type TokenSight, type Workplace } from "./decider.ts";
import { compacted, type Evictions, takeOver } from "./evict.ts";
import { originsHeld } from "./inventory.ts";
import { inOrder } from "./layer.ts";
import { pack } from "./pack.ts";
import { appendRow, copyTail, emptyTail, rowLength, withoutRows } from "./tail.ts";

/**
 * With one more token, whose keys and values are [L, 2, KH, d]. Generated tokens follow compact ones into their form once they are
 * enough. The old value must not be used again: both may share the tail's memory.
 */
export function appended(contents: Contents, entries: Float32Array, logits: Float32Array, sight: TokenSight): Contents {
  const length = contents.length + 1;
  const longer = { ...contents, length, logits, sight, tail: appendRow(contents.tail, entries) };
  const { compact, geometry, tail } = longer;
  if (compact === null || untilDue(compact, tail.length, geometry) > 0) return longer;
  return { ...longer, ...settled(compact, longer), tail: withoutRows(tail, rowLength(geometry)) };
}

/**
 * Without the entries that go. The old value must not be used again: both may share the tail's memory.
 *
 * @param inPlace whether the tail's entries take over their slots: these change, and nobody else may hold them
 * @param packed who turns keys so that what stays stands side by side; null where positions stay true
 */
export function evicted(
  contents: Contents,
  gone: Evictions,
  inPlace: boolean,
  packed: Pick<Workplace, "turn"> | null,
): Contents {
  const { geometry, length, tail } = contents;
  if (inPlace) takeOver(contents, gone);
  const left = inPlace ? contents.layers : compacted(contents, gone);
  const layers =
    packed === null
      ? left
      : left.map((entries, layer) =>
          pack(entries, length, geometry.headDim, (keys, by) => packed.turn(layer, keys, by)),
        );
  return { ...contents, layers, received: null, tail: withoutRows(tail, rowLength(geometry)) };
}

/** With older entries in a compact form; so far all are in fp32. */
export const inForm = (contents: Contents, form: CompactForm): Contents => ({
  ...contents,
  ...settled(emptyCompact(form, contents.geometry), ordered(contents)),
  ...UNOBSERVED,
  tail: emptyTail,
});

/** With directions that pairs of layers share; so far each has its own. */
export const crossLayer = (contents: Contents, merge: CrossLayer): Contents => ({
  ...contents,
  ...mergedAcross(merge, ordered(contents), (layer, kvHead) => originsHeld(contents, layer, kvHead)),
  ...UNOBSERVED,
  tail: copyTail(contents.tail),
});

/** What was seen of entries in full says nothing of compact ones. */
const UNOBSERVED = { sight: NOTHING_SEEN, received: null };

/** Each head's entries in the order of their positions. */
const ordered = (contents: Contents): Contents => ({
  ...contents,
  layers: contents.layers.map((entries) => inOrder(entries, contents.geometry.headDim)),
});
