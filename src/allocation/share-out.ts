import { roundToTotal } from "./round.ts";

/**
 * Shares a total out by weights: integers within [0, limit] of an exact sum, as near to proportional as that allows. What a full place
 * cannot take goes to the others, by their weights; once only places of weight 0 are left, they have it in equal parts.
 *
 * @param weights finite, >= 0
 * @param total an integer from 0 to weights.length * limit
 */
export function shareOut(weights: readonly number[], total: number, limit: number): readonly number[] {
  const order = [...weights.keys()].sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
  const after = new Float64Array(weights.length + 1); // weights from one place of the order to its end
  for (let at = order.length - 1; at >= 0; at--) after[at] = (after[at + 1] ?? 0) + (weights[order[at] ?? 0] ?? 0);
  const shares = new Array<number>(weights.length).fill(0);
  let left = total;
  for (const [at, i] of order.entries()) {
    const rest = after[at] ?? 0;
    const fair = rest > 0 ? (left * (weights[i] ?? 0)) / rest : left / (order.length - at);
    shares[i] = Math.min(limit, fair);
    left -= shares[i] ?? 0;
  }
  return roundToTotal(shares, total, limit);
}

/** Weights of which a part is the same for all: `floor` of the sum in equal parts, the rest as given; all equal where they are all 0. */
export function withFloor(weights: readonly number[], floor: number): readonly number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => floor / weights.length + (sum > 0 ? ((1 - floor) * weight) / sum : 0));
}
