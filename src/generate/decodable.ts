/** Whether a model can continue a cache. */
import type { KvCache } from "../cache/cache.ts";
import type { CacheGeometry } from "../cache/layer.ts";
import type { DecodingPolicy } from "../decoding/policy.ts";
import { KvError } from "../error.ts";
import { identityOf, type Model } from "../loaded.ts";

/** Whether a next token has no place in the model's context: no true position or, once an endless policy turned keys, none within the cache. */
export function isFull({ config }: Model, cache: KvCache, evict: DecodingPolicy | undefined): boolean {
  if (cache.length < config.contextLength) return false;
  const inCache = evict?.endless === true && cache.places.every(({ turned }) => turned !== undefined);
  return !inCache || Math.max(...cache.lengths.flat()) >= config.contextLength;
}

/** @throws KvError `wrong_model` if the cache is not this model's, `disposed` */
export function assertDecodable(model: Model, cache: KvCache): void {
  const found = shape(cache.model, cache.geometry);
  const allowed = shape(identityOf(model), model.config);
  if (found === allowed) return;
  throw new KvError({ code: "wrong_model", path: ["cache", "model"], found, allowed: `the model in use, ${allowed}` });
}

const shape = (model: string, { layers, kvHeads, headDim }: CacheGeometry): string =>
  `${model} (${layers} layers, ${kvHeads} KV heads of ${headDim})`;
