/**
 * Copies of what caches hold, laid out for a batch, and used again for as long as the batch stays.
 *
 * Remembered are those of the last batch only: packed entries within the plan's limits (256 MiB), and the sequences' tails. They
 * hang on the caches and entries that they copy, so they go with them. Sequences may leave a pack; once less than half of its
 * groups are in use, or one comes that it does not hold, it is packed anew. Where decoding evicts, a token's entries take over
 * slots: those alone are copied again.
 */
import type { KvCache } from "../../../cache/cache.ts";
import type { LayerEntries } from "../../../cache/layer.ts";
import type { ModelConfig } from "../../../model/config.ts";
import { inPlace, type Pages, packed } from "./pages.ts";
import type { BatchRun } from "./plan.ts";
import { Tails } from "./tails.ts";

/** Tails by the first sequence of a batch, packs by the first entries of each group in them. */
export type Copies = WeakMap<KvCache | LayerEntries, Tails | Pages>;

export interface BatchCopies {
  readonly pages: Pages;
  /** The sequences of each of the pages' groups, counted in the order of `caches`. */
  readonly members: readonly (readonly number[])[];
  readonly tails: Tails;
}

/** @param caches those of the run's groups, group after group */
export function copiesFor(
  config: ModelConfig,
  { kind, groups }: BatchRun,
  caches: readonly KvCache[],
  known: Copies,
  kept: Copies,
): BatchCopies {
  const entries = groups.map(({ layers }) => layers);
  const pages = kind === "inPlace" ? inPlace(entries[0] ?? []) : packOf(config, entries, known, kept);
  const members: number[][] = Array.from({ length: pages.groups }, () => []);
  let next = 0;
  for (const group of groups) {
    members[pages.find(group.layers)]?.push(...group.members.map((_, i) => next + i));
    next += group.members.length;
  }
  return { pages, members, tails: tailsOf(config, caches, known, kept) };
}

function packOf(config: ModelConfig, groups: readonly (readonly LayerEntries[])[], known: Copies, kept: Copies): Pages {
  const [first] = groups.flatMap(([lowest]) => lowest ?? []);
  const old = first === undefined ? undefined : known.get(first);
  const usable =
    old !== undefined &&
    !(old instanceof Tails) &&
    old.groups <= 2 * groups.length &&
    groups.every((entries) => old.find(entries) >= 0);
  const pages = usable ? old : packed(groups, config);
  if (usable) for (const entries of groups) pages.refresh(pages.find(entries), entries);
  for (const [lowest] of groups) if (lowest !== undefined) kept.set(lowest, pages);
  return pages;
}

function tailsOf(config: ModelConfig, caches: readonly KvCache[], known: Copies, kept: Copies): Tails {
  const [first] = caches;
  const old = first === undefined ? undefined : known.get(first);
  const tails = old instanceof Tails && old.fits(caches) ? old : new Tails(caches, config);
  tails.refresh(caches);
  if (first !== undefined) kept.set(first, tails);
  return tails;
}
