/** A cache's contents in other forms: older entries compact, or shared by pairs of layers. */
import { mergedAcross } from "./compact/cross-layer.ts";
import { emptyCompact } from "./compact/entries.ts";
import type { CompactForm } from "./compact/form.ts";
import type { CrossLayer } from "./compact/pairs.ts";
import { settled } from "./compact/settle.ts";
import type { InMemory } from "./contents.ts";
import { NOTHING_SEEN } from "./decider.ts";
import { originsHeld } from "./inventory.ts";
import { inOrder } from "./layer.ts";
import { copyTail, emptyTail } from "./tail.ts";

/** With older entries in a compact form; so far all are in fp32. */
export const inForm = (contents: InMemory, form: CompactForm): InMemory => ({
  ...contents,
  ...settled(emptyCompact(form, contents.geometry), ordered(contents)),
  ...UNOBSERVED,
  tail: emptyTail,
});

/** With directions that pairs of layers share; so far each has its own. */
export const crossLayer = (contents: InMemory, merge: CrossLayer): InMemory => ({
  ...contents,
  ...mergedAcross(merge, ordered(contents), (layer, kvHead) => originsHeld(contents, layer, kvHead)),
  ...UNOBSERVED,
  tail: copyTail(contents.tail),
});

/** What was seen of entries in full says nothing of compact ones. */
const UNOBSERVED = { sight: NOTHING_SEEN, received: null };

/** Each head's entries in the order of their positions. */
const ordered = (contents: InMemory): InMemory => ({
  ...contents,
  layers: contents.layers.map((entries) => inOrder(entries, contents.geometry.headDim)),
});
