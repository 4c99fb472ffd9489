/** The places of the `count` lowest scores; of equal ones the higher position goes first, so that earlier tokens stay. */
export function lowest(scores: Float64Array, positions: Int32Array, count: number): readonly number[] {
  const before = (a: number, b: number) =>
    (scores[a] ?? 0) - (scores[b] ?? 0) || (positions[b] ?? 0) - (positions[a] ?? 0);
  if (count > 1)
    return Array.from(scores.keys())
      .sort((a, b) => before(a, b))
      .slice(0, count);
  let found = 0; // at almost every token one goes of every head, so without a list
  for (let place = 1; place < scores.length; place++) {
    const [score, least] = [scores[place] ?? 0, scores[found] ?? 0];
    if (score < least || (score === least && (positions[place] ?? 0) > (positions[found] ?? 0))) found = place;
  }
  return [found];
}
