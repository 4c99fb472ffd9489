/** The longest common subsequence of two sequences, by dynamic programming: O(n m) time and memory. */

/**
 * The elements of one longest common subsequence. Of several, the one that is found from the ends, where `a` is stepped back only if that
 * keeps strictly more: the choice of Python's `rouge`, whose unions depend on it.
 */
export function commonSubsequence<T>(a: readonly T[], b: readonly T[]): T[] {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width); // [a, b]: of the first i and j elements
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      lengths[i * width + j] = a[i - 1] === b[j - 1] ? at(i - 1, j - 1) + 1 : Math.max(at(i - 1, j), at(i, j - 1));
    }
  }
  const found: T[] = [];
  for (let [i, j] = [a.length, b.length]; i > 0 && j > 0; ) {
    if (a[i - 1] === b[j - 1]) {
      found.push(...a.slice(i - 1, i));
      i--;
      j--;
    } else if (at(i - 1, j) > at(i, j - 1)) i--;
    else j--;
  }
  return found.reverse();
}
