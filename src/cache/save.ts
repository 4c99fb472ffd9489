/** Writes a cache, sealed by a hash of the whole file. */
import { createHash } from "node:crypto";
import { bytesOf, type NamedTensor, safetensorsHeader, writeWhole } from "../model/weights/safetensors-write.ts";
import type { KvCache } from "./cache.ts";
import { FORMAT, NO_HASH, type SavedCache } from "./file-format.ts";
import { headLength, type Places } from "./layer.ts";

/**
 * Writes what the cache holds; it must not change meanwhile.
 *
 * @throws KvError `disk_error`, with the path as it was before; `disposed`
 */
export async function writeCache(path: string, cache: KvCache, about: Omit<SavedCache, "shape">): Promise<void> {
  const tensors = tensorsOf(cache);
  const bytes = bytesOf(tensors);
  const metadata = { format: FORMAT, sha256: NO_HASH, ...jsonOf({ ...about, shape: shapeOf(cache) }) };
  const unsealed = safetensorsHeader(metadata, tensors);
  const hash = createHash("sha256");
  for (const part of [unsealed, ...bytes]) hash.update(part);
  const header = safetensorsHeader({ ...metadata, sha256: hash.digest("hex") }, tensors);
  await writeWhole(path, [header, ...bytes]);
}

function shapeOf({ model, geometry, length, layers, tail, packing }: KvCache): SavedCache["shape"] {
  const countsOf = (all: readonly Places[]) =>
    all.map((places) => Array.from({ length: geometry.kvHeads }, (_, h) => headLength(places, h)));
  const shape = { model, ...geometry, length, counts: countsOf(layers), tail: tail.length };
  if (packing === null) return shape;
  const { prompt, next } = packing;
  return { ...shape, packed: { prompt, next, counts: countsOf(packing.layers) } };
}

const jsonOf = ({ shape, provenance, method }: SavedCache) => ({
  cache: JSON.stringify(shape),
  provenance: JSON.stringify(provenance),
  method: JSON.stringify(method),
});

function tensorsOf({ layers, tail, logits, geometry, packing }: KvCache): readonly NamedTensor[] {
  const { headDim, kvHeads } = geometry;
  const width = layers.length * 2 * kvHeads * headDim;
  return [
    ...layers.flatMap(({ keys, values, positions }, layer) => [
      { name: `keys.${layer}`, shape: [positions.length, headDim], data: keys },
      { name: `values.${layer}`, shape: [positions.length, headDim], data: values },
      { name: `positions.${layer}`, shape: [positions.length], data: Float32Array.from(positions) },
    ]),
    ...(packing?.layers ?? []).map(({ positions }, layer) => ({
      name: `origins.${layer}`,
      shape: [positions.length],
      data: Float32Array.from(positions),
    })),
    { name: "tail", shape: [tail.length, width], data: tail.data.subarray(0, tail.length * width) },
    { name: "logits", shape: [logits.length], data: logits },
  ];
}
