import type { KvCache } from "../../cache/cache.ts";
import { gathered } from "../../cache/gathered.ts";
import { headLength, type LayerEntries } from "../../cache/layer.ts";

/** What a layer holds of the tail from its row `first` on, head after head. */
export function tailEntries(
  cache: KvCache,
  layer: number,
  first: number,
): Pick<LayerEntries, "keys" | "values" | "positions"> {
  const { geometry, layers, tail, length } = cache;
  const rows = Array.from({ length: tail.length - first }, (_, i) => first + i);
  const part = rows.length * geometry.headDim;
  const [keys, values] = [new Float32Array(geometry.kvHeads * part), new Float32Array(geometry.kvHeads * part)];
  for (let head = 0; head < geometry.kvHeads; head++) {
    const kept = headLength(layers[layer] ?? { offsets: new Int32Array(0) }, head);
    const places = rows.map((row) => kept + row);
    keys.set(gathered(cache, layer, head, places, 0), head * part);
    values.set(gathered(cache, layer, head, places, 1), head * part);
  }
  const positions = Int32Array.from({ length: geometry.kvHeads * rows.length }, (_, i) => {
    return length - tail.length + first + (i % rows.length);
  });
  return { keys, values, positions };
}
