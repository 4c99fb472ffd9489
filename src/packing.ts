/** Positions packed within the cache: kept keys turned by RoPE to where they then stand. */
import type { KvCache } from "./cache/cache.ts";
import { headLength, type LayerEntries } from "./cache/layer.ts";
import type { Kept } from "./context.ts";
import type { ModelConfig } from "./model/config.ts";
import { inverseFrequencies, rotate } from "./model/rope.ts";
import type { Tensor } from "./tensor.ts";

/**
 * The entries at the last positions before `length`, which becomes the largest count of any head; what is there already stays as it is.
 *
 * @param prompt tokens of the prompt that they come from
 */
export function pack(config: ModelConfig, layers: readonly LayerEntries[], prompt: number): Kept {
  const length = layers.reduce((most, { offsets }) => Math.max(most, ...counts(offsets)), 0);
  const packed = layers.map((entries, layer) => packLayer(entries, length, inverseFrequencies(config, layer)));
  const places = layers.map(({ positions, offsets }) => ({ positions, offsets }));
  return { layers: packed, length, origins: { prompt, next: length, layers: places } };
}

const counts = (offsets: Int32Array): number[] =>
  Array.from({ length: offsets.length - 1 }, (_, head) => headLength({ offsets }, head));

function packLayer(entries: LayerEntries, length: number, frequencies: Float64Array): LayerEntries {
  const { offsets, positions: old } = entries;
  const positions = new Int32Array(old.length);
  for (const [head, count] of counts(offsets).entries())
    for (let i = 0; i < count; i++) positions[(offsets[head] ?? 0) + i] = length - count + i;
  if (positions.every((position, i) => position === old[i])) return entries;
  const keys = entries.keys.slice();
  const size = 2 * frequencies.length;
  for (const [i, position] of positions.entries())
    rotate(keys.subarray(i * size, (i + 1) * size), frequencies, position - (old[i] ?? 0));
  return { ...entries, keys, positions };
}

/** Queries after RoPE at their places in the text, as they would stand in a cache whose positions may be packed. */
export function queriesIn(
  { length, seen }: Pick<KvCache, "length" | "seen">,
  config: ModelConfig,
  layer: number,
  { data, dims }: Tensor,
): Tensor {
  if (length === seen) return { data, dims };
  const turned = data.slice();
  rotate(turned, inverseFrequencies(config, layer), length - seen);
  return { data: turned, dims };
}
