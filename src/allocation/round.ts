/**
 * Rounds shares to integers of an exact total by largest remainder: every share is cut to its integer part, and what is
 * missing goes, one each, to the largest remainders. Of equal remainders the lower index comes first.
 *
 * Each integer stays within [0, limit]; what a full place cannot take goes on to the next. A non-increasing list stays so.
 *
 * @param shares real numbers that sum to `total`, up to rounding
 * @param total an integer from 0 to shares.length * limit
 */
export function roundToTotal(shares: readonly number[], total: number, limit: number): readonly number[] {
  const counts = shares.map((share) => Math.min(limit, Math.max(0, Math.floor(share))));
  const remainder = (i: number) => (shares[i] ?? 0) - (counts[i] ?? 0);
  const order = [...shares.keys()].sort((a, b) => remainder(b) - remainder(a) || a - b);
  let missing = total - counts.reduce((sum, count) => sum + count, 0);
  while (missing > 0) {
    const open = order.filter((i) => (counts[i] ?? 0) < limit).slice(0, missing);
    if (open.length === 0) break;
    for (const i of open) counts[i] = (counts[i] ?? 0) + 1;
    missing -= open.length;
  }
  return counts;
}
