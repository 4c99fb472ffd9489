/** Caches on disk: a context compressed once, to be asked by later programs; or a generation to be gone on with. */
import { KvCache } from "./cache/cache.ts";
import type { SavedMethod, SavedProvenance } from "./cache/file-format.ts";
import { openCache } from "./cache/load.ts";
import { writeCache } from "./cache/save.ts";
import { KvError } from "./error.ts";
import { assertDecodable } from "./generate/decodable.ts";
import { identityOf, type Model } from "./loaded.ts";
import type { Method } from "./methods/method.ts";

export interface SaveOptions {
  /** Whose keys and values these are: where they come from is written beside them. */
  readonly model: Model;
  /** What chose the entries, for the record; default: not told. */
  readonly method?: Pick<Method, "name" | "budget" | "options"> | undefined;
}

export interface LoadedCache extends Disposable {
  readonly cache: KvCache;
  /** Model, weights' hash, engine, precision and versions that computed it. */
  readonly provenance: SavedProvenance;
  /** null if it was not told. */
  readonly method: SavedMethod;
}

/**
 * Writes a cache, as it is now, as a safetensors file: exactly the entries it holds, per head, generated ones too, and their provenance. Either
 * the whole file is there afterwards or what was there before.
 *
 * @throws KvError `wrong_model` if the cache is another model's, `invalid_option` for one with compact entries, `disk_error`, `disposed`
 */
export async function saveCache(cache: KvCache, path: string, { model, method }: SaveOptions): Promise<void> {
  assertDecodable(model, cache);
  if (cache.compact !== null)
    throw new KvError({
      code: "invalid_option",
      path: ["saveCache", "cache"],
      found: "a cache with compact entries",
      allowed: "one whose entries are all in fp32",
      hint: "save it before it is quantised, pruned or merged across layers",
    });
  using fork = cache.fork(); // at once, because the cache may go on meanwhile
  using snapshot = await fork.inMemory();
  const provenance = await model.provenance();
  await writeCache(path, snapshot, { provenance, method: method === undefined ? null : recordOf(method) });
}

const recordOf = ({ name, budget, options }: Pick<Method, "name" | "budget" | "options">): SavedMethod => ({
  name,
  budget: Number.isFinite(budget) ? budget : null,
  options: { ...options },
});

/**
 * Reads a cache that `saveCache` wrote. It decodes as the saved one did, bit for bit on the same machine, versions and threads.
 *
 * The model is told by the hash of its weights, so that it may have moved; the numbers are taken whatever precision made them.
 *
 * @throws KvError `wrong_model` if other weights made it, `corrupt_file` if a bit of it changed, `unsupported_format`,
 *   `invalid_option` where there is no such file, `access_denied`, `disk_error`
 */
export async function loadCache(model: Model, path: string): Promise<LoadedCache> {
  using file = openCache(path);
  const { shape, provenance, method } = file.about;
  const { layers, kvHeads, headDim, vocabSize, contextLength } = model.config;
  const { weights } = await model.provenance();
  if (provenance.weights !== weights) {
    const allowed = `the cache of the model in use, ${identityOf(model)} (${weights})`;
    throw new KvError({
      code: "wrong_model",
      path: [path, "model"],
      found: `${shape.model} (${provenance.weights})`,
      allowed,
    });
  }
  const found = [shape.layers, shape.kvHeads, shape.headDim];
  const fits = found.every((size, i) => size === [layers, kvHeads, headDim][i]) && shape.length <= contextLength;
  const contents = fits ? file.contents() : null;
  if (contents === null || contents.logits.length !== vocabSize) {
    const allowed = `${layers} layers of ${kvHeads} KV heads of ${headDim}, at most ${contextLength} tokens and ${vocabSize} logits`;
    throw new KvError({ code: "corrupt_file", path: [path, "shape"], found: { ...shape, counts: undefined }, allowed });
  }
  const cache = new KvCache({ ...contents, model: identityOf(model) });
  return { cache, provenance, method, [Symbol.dispose]: () => cache[Symbol.dispose]() };
}
