/**
 * How a batch is run: which sequences in one run of the graph, and whether their kept entries are read where they lie.
 *
 * Sequences with the very same kept entries (forks) form a group, which reads them once. A group on its own whose heads are equally long
 * is read in place. Small groups are packed into pages together; a big one is never copied: it runs on its own or, where its
 * heads differ in length, one sequence at a time.
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
  /** Bytes of kept entries above which a group is not packed: too much to hold twice. */
  readonly group: number;
  /** Bytes of kept entries that are packed for one run; more of them are split into several runs. */
  readonly run: number;
}

const LIMITS: Limits = { group: 64 * 2 ** 20, run: 256 * 2 ** 20 };

export function plan(batch: readonly Step[], limits = LIMITS): readonly BatchRun[] {
  const runs: BatchRun[] = [];
  let small: Group[] = [];
  let bytes = 0;
  const flush = () => {
    if (small.length > 0) runs.push(runOf(small));
    [small, bytes] = [[], 0];
  };
  for (const group of groupsOf(batch)) {
    const size = bytesOf(group.layers);
    if (size > limits.group) {
      runs.push(...(group.layers.every(isUniform) ? [runOf([group])] : oneByOne(group)));
      continue;
    }
    if (bytes + size > limits.run) flush();
    small.push(group);
    bytes += size;
  }
  flush();
  return runs;
}

function runOf(groups: readonly Group[]): BatchRun {
  const [first] = groups;
  if (groups.length > 1 || first === undefined) return { kind: "packed", groups };
  if (first.members.length === 1) return { kind: "alone", groups };
  return { kind: first.layers.every(isUniform) ? "inPlace" : "packed", groups };
}

const oneByOne = ({ layers, members }: Group): readonly BatchRun[] =>
  members.map((member) => ({ kind: "alone", groups: [{ layers, members: [member] }] }));

function groupsOf(batch: readonly Step[]): readonly Group[] {
  const groups: { layers: readonly LayerEntries[]; members: number[] }[] = [];
  for (const [i, { cache }] of batch.entries()) {
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
