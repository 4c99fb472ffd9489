/** What a cache with compact entries stands for, as a cache in fp32. */
import { type LayerEntries, offsetsOf } from "../../src/cache/layer.ts";
import { type HeadEntries, readHead } from "../../src/cache/read.ts";
import { copyTail } from "../../src/cache/tail.ts";
import { KvCache } from "../../src/index.ts";

/** A cache that holds in fp32 what another one's entries stand for: the channels that keys lack are 0. */
export function inFp32(cache: KvCache): KvCache {
  const { model, geometry, length, logits, tail } = cache;
  const layers = cache.places.map((_, layer): LayerEntries => {
    const heads = Array.from({ length: geometry.kvHeads }, (_, head) => readHead(cache, layer, head));
    const all = (part: keyof HeadEntries) => heads.flatMap((head) => [...head[part]]);
    return {
      keys: Float32Array.from(all("keys")),
      values: Float32Array.from(all("values")),
      positions: Int32Array.from(all("positions")),
      offsets: offsetsOf(heads.map(({ positions }) => positions.length)),
    };
  });
  return new KvCache({ model, geometry, layers, length, logits, tail: copyTail(tail) });
}
