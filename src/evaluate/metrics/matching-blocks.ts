/** Ratcliff and Obershelp's comparison as Python's difflib does it. @see https://docs.python.org/3/library/difflib.html */

/** Sequences at least this long have popular elements, which begin no block. */
const LONG = 200;

interface Span {
  readonly a: number;
  readonly b: number;
  readonly size: number;
}

/**
 * Elements in matching blocks: those of the longest block, and recursively of what is before and after it. Of equal blocks the first in `a`,
 * then in `b`, is taken. It depends on the order of the two.
 */
export function matchingElements<T>(a: readonly T[], b: readonly T[]): number {
  const places = placesOf(b);
  let matched = 0;
  const open: (readonly [number, number, number, number])[] = [[0, a.length, 0, b.length]];
  for (let span = open.pop(); span !== undefined; span = open.pop()) {
    const [aFrom, aTo, bFrom, bTo] = span;
    const block = grown(a, b, span, longestBlock(a, places, span));
    if (block.size === 0) continue;
    matched += block.size;
    open.push([aFrom, block.a, bFrom, block.b], [block.a + block.size, aTo, block.b + block.size, bTo]);
  }
  return matched;
}

/** Where each element of `b` is, ascending; popular ones, more than a hundredth of a long sequence, are left out. */
function placesOf<T>(b: readonly T[]): ReadonlyMap<T, readonly number[]> {
  const places = Map.groupBy(b.keys(), (j) => b[j]);
  const popular = b.length < LONG ? Number.POSITIVE_INFINITY : Math.floor(b.length / 100) + 1;
  return new Map(b.filter((x) => (places.get(x)?.length ?? 0) <= popular).map((x) => [x, places.get(x) ?? []]));
}

function longestBlock<T>(
  a: readonly T[],
  places: ReadonlyMap<T, readonly number[]>,
  [aFrom, aTo, bFrom, bTo]: readonly [number, number, number, number],
): Span {
  let best: Span = { a: aFrom, b: bFrom, size: 0 };
  let before = new Map<number, number>(); // sizes of the blocks that end with the last element of a, by their end in b
  for (const [offset, element] of a.slice(aFrom, aTo).entries()) {
    const ending = new Map<number, number>();
    for (const j of places.get(element) ?? []) {
      if (j < bFrom || j >= bTo) continue;
      const size = (before.get(j - 1) ?? 0) + 1;
      ending.set(j, size);
      if (size > best.size) best = { a: aFrom + offset - size + 1, b: j - size + 1, size };
    }
    before = ending;
  }
  return best;
}

/** The block with equal elements at both its ends, popular ones too. */
function grown<T>(
  a: readonly T[],
  b: readonly T[],
  [aFrom, aTo, bFrom, bTo]: readonly [number, number, number, number],
  block: Span,
): Span {
  let [i, j, end] = [block.a, block.b, block.a + block.size];
  while (i > aFrom && j > bFrom && a[i - 1] === b[j - 1]) {
    i--;
    j--;
  }
  while (end < aTo && j + end - i < bTo && a[end] === b[j + end - i]) end++;
  return { a: i, b: j, size: end - i };
}
