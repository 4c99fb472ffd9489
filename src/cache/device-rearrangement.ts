/** An eviction on a device: what the cache then knows of its entries, and where their numbers are to move. */
import type { Rearranged } from "./device-entries.ts";
import { type CachePlaces, compacted, type Evictions, takeOver } from "./evict.ts";
import { headLength, type LayerPlaces } from "./layer.ts";

/**
 * Done as in memory, on entries of one number: the place in its head where each one is. The numbers that stay then say where they came from.
 *
 * @param inPlace changes the layers, which nobody else may hold
 */
export function rearrangement(
  { geometry, layers, tail, length }: CachePlaces,
  gone: Evictions,
  inPlace: boolean,
): { readonly layers: readonly LayerPlaces[]; readonly moves: readonly Rearranged[] } {
  const numbered = {
    geometry: { ...geometry, headDim: 1 },
    layers: layers.map((places) => ({ ...places, ...bothSides(placesInHeads(places)) })),
    tail: { data: placesInTail({ geometry, layers, tail, length }), length: tail.length },
    length,
  };
  if (inPlace) takeOver(numbered, gone);
  const left = inPlace ? numbered.layers : compacted(numbered, gone);
  return {
    layers: left.map(({ keys: _keys, values: _values, ...places }) => places),
    moves: left.map(({ keys, offsets }) => ({ before: keys, offsets })),
  };
}

/** Every entry's place in its head. */
function placesInHeads({ positions, offsets }: LayerPlaces): Float32Array {
  const places = new Float32Array(positions.length);
  for (let head = 0; head + 1 < offsets.length; head++) {
    const [from = 0, to = 0] = offsets.subarray(head, head + 2);
    for (let i = from; i < to; i++) places[i] = i - from;
  }
  return places;
}

/** The tail's entries come after what their heads kept: [tail, L, 2, KH, 1]. */
function placesInTail({ geometry: { kvHeads }, layers, tail }: CachePlaces): Float32Array {
  const width = layers.length * 2 * kvHeads;
  const places = new Float32Array(tail.length * width);
  for (let row = 0; row < tail.length; row++)
    for (const [layer, entries] of layers.entries())
      for (let i = 0; i < 2 * kvHeads; i++)
        places[row * width + layer * 2 * kvHeads + i] = headLength(entries, i % kvHeads) + row;
  return places;
}

/** Keys and values move together; each side is written, so each has its own. */
const bothSides = (places: Float32Array) => ({ keys: places, values: places.slice() });
