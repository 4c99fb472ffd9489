/** Each merge once more, as plainly as its formula: one kept entry at a time. */
import { dot, mean, sum, type Vector } from "../support/numbers.ts";

export interface PlainHead {
  /** [n][d] */
  readonly keys: readonly (readonly number[])[];
  readonly values: readonly (readonly number[])[];
  readonly kept: readonly number[];
  /** Attention of the last queries to every row. */
  readonly attention: readonly number[];
  readonly draw: () => number;
}

export type PlainMerge = (head: PlainHead) => { readonly keys: readonly Vector[]; readonly values: readonly Vector[] };

const cosine = (a: Vector, b: Vector) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
const distance = (a: Vector, b: Vector) => Math.hypot(...a.map((x, i) => x - (b[i] ?? 0)));
const total = (vectors: readonly Vector[]) => (vectors[0] ?? []).map((_, c) => sum(vectors.map((v) => v[c] ?? 0)));
const times = (weight: number, v: Vector) => v.map((x) => weight * x);

const evicted = ({ keys, kept }: PlainHead) => [...keys.keys()].filter((row) => !kept.includes(row));
const at = (vectors: readonly Vector[], row: number) => vectors[row] ?? [];

/** The kept row whose key is most like that of `row`; of equals, the first. */
function nearest({ keys, kept }: PlainHead, row: number): number {
  const all = kept.map((other) => cosine(at(keys, row), at(keys, other)));
  return kept[all.indexOf(Math.max(...all))] ?? -1;
}

/** Both sides of every kept row, made of itself and of the rows that merge into it. */
const both = (head: PlainHead, make: (side: readonly Vector[], c: number) => Vector) => ({
  keys: head.kept.map((c) => make(head.keys, c)),
  values: head.kept.map((c) => make(head.values, c)),
});

const intoNearest = (head: PlainHead, c: number) => evicted(head).filter((e) => nearest(head, e) === c);

export const plainMerges: Readonly<Record<string, PlainMerge>> = {
  averaged: (head) =>
    both(head, (x, c) => {
      const members = [c, ...intoNearest(head, c)];
      return times(1 / members.length, total(members.map((row) => at(x, row))));
    }),
  pivotal: (head) =>
    both(head, (x, c) => {
      const halfway = intoNearest(head, c).map((e) => times(0.5, total([at(x, c), at(x, e)])));
      return times(1 / (halfway.length + 1), total([at(x, c), ...halfway]));
    }),
  weighted: (head) =>
    both(head, (x, c) => {
      const parts = intoNearest(head, c).map((e) => times(cosine(at(head.keys, e), at(head.keys, c)), at(x, e)));
      return times(1 / (parts.length + 1), total([at(x, c), ...parts]));
    }),
  d2o: (head) => {
    const likeness = (e: number) => cosine(at(head.keys, e), at(head.keys, nearest(head, e)));
    const threshold = mean(evicted(head).map(likeness));
    return both(head, (x, c) => {
      const members = intoNearest(head, c).filter((e) => likeness(e) >= threshold - 1e-7);
      const masses = [Math.E, ...members.map((e) => Math.exp(likeness(e)))];
      return total([c, ...members].map((row, i) => times((masses[i] ?? 0) / sum(masses), at(x, row))));
    });
  },
  kvmerger: (head) => {
    const joined = (a: number, b: number): boolean =>
      a === b || (cosine(at(head.keys, a), at(head.keys, a + 1)) > 0.75 && joined(a + 1, b));
    const inRun = (a: number, b: number) => joined(Math.min(a, b), Math.max(a, b));
    const centre = (e: number) =>
      head.kept.filter((c) => inRun(c, e)).sort((a, b) => Math.abs(a - e) - Math.abs(b - e) || a - b)[0];
    return both(head, (x, c) => {
      const members = evicted(head).filter((e) => centre(e) === c);
      const distances = members.map((e) => distance(at(head.keys, e), at(head.keys, c)));
      const sigma = mean(distances) / Math.SQRT2;
      const masses = [1, ...distances.map((far) => Math.exp(-(far ** 2) / (2 * sigma ** 2)))];
      return total([c, ...members].map((row, i) => times((masses[i] ?? 0) / sum(masses), at(x, row))));
    });
  },
  cam: (head) => {
    const values = head.values.map((value) => [...value]);
    for (const e of evicted(head)) {
      const following = head.kept.filter((c) => c > e).slice(0, 32);
      if (following.length === 0) continue;
      const chance = (head.attention[e] ?? 0) / mean(following.map((c) => head.attention[c] ?? 0));
      if (head.draw() >= Math.min(1, chance)) continue;
      for (const c of following)
        values[c] = total([values[c] ?? [], times(1 / following.length, at(head.values, e))]).slice();
    }
    return { keys: head.kept.map((c) => at(head.keys, c)), values: head.kept.map((c) => values[c] ?? []) };
  },
};
