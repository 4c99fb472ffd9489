/** How widely a distribution is spread. */

/** Entropy in nats: -sum of p ln p, where 0 ln 0 is 0. Between 0, all on one, and ln n, evenly over n. */
export function entropy(shares: ArrayLike<number>): number {
  let nats = 0;
  for (let i = 0; i < shares.length; i++) {
    const share = shares[i] ?? 0;
    if (share > 0) nats -= share * Math.log(share);
  }
  return Math.max(0, nats);
}
