/** Kept entries as pages, for a batch: each page holds entries of one KV head of one group. */
import { type CacheGeometry, copyEntries, headLength, type LayerEntries } from "../../../cache/layer.ts";
import { sameEntries } from "./plan.ts";

/** Entries of a packed page: of every head's pages only the last is padded, by less than this. */
const PAGE = 32;
export const PADDING = -1;

/** One layer's pages: N of W entries. */
export interface PagedLayer {
  /** [N, W, d] */
  readonly keys: Float32Array;
  readonly values: Float32Array;
  readonly width: number;
  /** group * KH + KV head of each page: [N]. */
  readonly owners: BigInt64Array;
  /** True position of each entry, PADDING where there is none: [N, W]. */
  readonly positions: Int32Array;
  /** Whether there is padding. */
  readonly padded: boolean;
}

export interface Pages {
  readonly layers: readonly PagedLayer[];
  /** How many groups' entries these are. */
  readonly groups: number;
  /** The group that holds these entries, -1 if none does. */
  find(layers: readonly LayerEntries[]): number;
  /** Brings a group up to date with entries that took over slots since. */
  refresh(group: number, layers: readonly LayerEntries[]): void;
}

/** A group whose heads are equally long, read where it lies: a page is a head. */
export function inPlace(layers: readonly LayerEntries[]): Pages {
  return {
    groups: 1,
    find: (wanted) => (sameEntries(layers, wanted) ? 0 : -1),
    refresh: () => {},
    layers: layers.map(({ keys, values, positions, offsets }) => ({
      keys,
      values,
      width: offsets[1] ?? 0,
      owners: BigInt64Array.from({ length: offsets.length - 1 }, (_, head) => BigInt(head)),
      positions,
      padded: false,
    })),
  };
}

/** A packed copy of groups. It keeps no group alive: the copy goes when whoever asked for it lets go. */
export function packed(groups: readonly (readonly LayerEntries[])[], geometry: CacheGeometry): Pages {
  const { headDim, kvHeads } = geometry;
  const weak = groups.map((entries) => entries.map((layer) => new WeakRef(layer)));
  const layers = Array.from({ length: geometry.layers }, (_, layer) =>
    packLayer(
      groups.flatMap((entries) => entries[layer] ?? []),
      headDim,
    ),
  );
  return {
    groups: groups.length,
    layers,
    find: (wanted) => weak.findIndex((entries) => entries.every((entry, layer) => entry.deref() === wanted[layer])),
    refresh: (group, entries) => {
      for (const [layer, paged] of layers.entries()) {
        const source = entries[layer];
        if (source?.reused) refreshLayer(paged, source, BigInt(group * kvHeads), headDim);
      }
    },
  };
}

/** Copies the entries whose positions are not those in the pages; the group's pages begin with those of `firstOwner`. */
function refreshLayer(paged: PagedLayer, entries: LayerEntries, firstOwner: bigint, headDim: number): void {
  for (let head = 0; head < entries.offsets.length - 1; head++) {
    const [from = 0, to = 0] = entries.offsets.subarray(head, head + 2);
    const shift = paged.owners.indexOf(firstOwner + BigInt(head)) * paged.width - from;
    for (let i = from; i < to; i++) {
      // A key that was turned may have been turned again.
      if (paged.positions[shift + i] === entries.positions[i] && entries.turned === undefined) continue;
      copyEntries(entries, [i, i + 1], paged, shift + i, headDim);
    }
  }
}

function packLayer(groups: readonly LayerEntries[], headDim: number): PagedLayer {
  const pagesOf = (entries: LayerEntries) =>
    Array.from({ length: entries.offsets.length - 1 }, (_, head) => Math.ceil(headLength(entries, head) / PAGE));
  const counts = groups.flatMap(pagesOf);
  // A layer in which nobody holds anything still has one page, of padding, because an empty product is no product.
  const total = Math.max(
    1,
    counts.reduce((sum, count) => sum + count, 0),
  );
  const keys = new Float32Array(total * PAGE * headDim);
  const values = new Float32Array(total * PAGE * headDim);
  const positions = new Int32Array(total * PAGE).fill(PADDING);
  const owners = new BigInt64Array(total);
  let page = 0;
  let owner = 0;
  for (const entries of groups) {
    for (let head = 0; head < entries.offsets.length - 1; head++, owner++) {
      const [from = 0, to = 0] = entries.offsets.subarray(head, head + 2);
      copyEntries(entries, [from, to], { keys, values, positions }, page * PAGE, headDim);
      const next = page + (counts[owner] ?? 0);
      owners.fill(BigInt(owner), page, next);
      page = next;
    }
  }
  return { keys, values, width: PAGE, owners, positions, padded: positions.includes(PADDING) };
}
