/**
 * How a batch is run: which sequences in one run of the graph, and whether their kept entries are read where they lie.
 *
 * Sequences with the very same kept entries (forks) form a group, which reads them once. Different groups are packed into pages
 * together: one run of the weights for all. That is a second copy, so it has limits: what is beyond them is read where it lies, a
 * group of forks whose heads are equally long in one run, and anything else one sequence at a time. So are those whose attention is
 * to be seen, and caches with entries in a compact form, because pages are fp32.
 *
 * SmolLM2-135M, 6 methods x 3 budgets of one prompt of 1000: 170 to 180 ms of CPU packed with the full cache among them, 215
 * to 230 with that in a run of its own (2026-11).
 */
import { isUniform, type LayerEntries } from "../../../cache/layer.ts";
import type { Step } from "../../index.ts";

/** Sequences whose kept entries are the same arrays. */
export interface Group {
  readonly layers: readonly LayerEntries[];
  /** Places in the batch. */
  readonly members: readonly number[];
}

/** One run of the graph: one sequence on its own, one group in place, or many groups packed. */
export interface BatchRun {
  readonly kind: "alone" | "inPlace" | "packed";
  readonly groups: readonly Group[];
}

export interface Limits {
  /** Bytes of kept entries above which a group is not packed. */
  readonly group: number;
  /** Bytes of kept entries that are packed at once, the smallest groups first. */
  readonly packed: number;
}

const LIMITS: Limits = { group: 64 * 2 ** 20, packed: 256 * 2 ** 20 };

export function plan(batch: readonly Step[], limits = LIMITS): readonly BatchRun[] {
  const alone = batch.flatMap((step, i) =>
    isAlone(step) ? [{ kind: "alone" as const, groups: [{ layers: step.cache.layers, members: [i] }] }] : [],
  );
  const bySize = groupsOf(batch)
    .map((group) => ({ group, size: bytesOf(group.layers) }))
    .sort((a, b) => a.size - b.size);
  const small: Group[] = [];
  const big: Group[] = [];
  let bytes = 0;
  for (const { group, size } of bySize) {
    const fits = size <= limits.group && bytes + size <= limits.packed;
    (fits ? small : big).push(group);
    if (fits) bytes += size;
  }
  return [...alone, ...(small.length === 0 ? [] : [runOf(small)]), ...big.flatMap(withoutCopies)];
}

/** A run over pages cannot tell what a token attended to, and reads no compact forms. */
const isAlone = ({ cache, sees }: Step): boolean => sees === "attention" || cache.compact !== null;

function runOf(groups: readonly Group[]): BatchRun {
  const [first] = groups;
  if (groups.length > 1 || first === undefined) return { kind: "packed", groups };
  if (first.members.length === 1) return { kind: "alone", groups };
  return { kind: first.layers.every(isUniform) ? "inPlace" : "packed", groups };
}

function withoutCopies(group: Group): readonly BatchRun[] {
  if (group.layers.every(isUniform)) return [runOf([group])];
  return group.members.map((member) => ({ kind: "alone", groups: [{ layers: group.layers, members: [member] }] }));
}

function groupsOf(batch: readonly Step[]): readonly Group[] {
  const groups: { layers: readonly LayerEntries[]; members: number[] }[] = [];
  for (const [i, step] of batch.entries()) {
    if (isAlone(step)) continue;
    const { cache } = step;
    const known = groups.find(({ layers }) => sameEntries(layers, cache.layers));
    if (known === undefined) groups.push({ layers: cache.layers, members: [i] });
    else known.members.push(i);
  }
  return groups;
}

export const sameEntries = (a: readonly LayerEntries[], b: readonly LayerEntries[]): boolean =>
  a === b || a.every((entries, layer) => entries === b[layer]);

const bytesOf = (layers: readonly LayerEntries[]): number =>
  layers.reduce((sum, { keys, values }) => sum + keys.byteLength + values.byteLength, 0);
