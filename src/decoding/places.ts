/** Where each of some positions lies among others, -1 where it does not: almost all of both lie in the same order, so that is tried first. */
export function placesIn(others: Int32Array, positions: Int32Array): Int32Array {
  const places = new Int32Array(positions.length);
  let next = 0;
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i] ?? 0;
    const place = others[next] === position ? next : others.indexOf(position);
    places[i] = place;
    next = place + 1;
  }
  return places;
}

/** The values at some places, 0 where there is none. */
export function valuesAt(values: Float64Array, places: Int32Array): Float64Array {
  const found = new Float64Array(places.length);
  for (let i = 0; i < places.length; i++) found[i] = values[places[i] ?? -1] ?? 0;
  return found;
}
