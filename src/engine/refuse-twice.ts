import type { KvCache } from "../cache/cache.ts";
import { KvError } from "../error.ts";
import type { Step } from "./index.ts";

/** A cache cannot take in two next tokens at once. @throws KvError `invalid_option` */
export function refuseTwice(batch: readonly Step[]): void {
  const seen = new Map<KvCache, number>();
  for (const [i, { cache }] of batch.entries()) {
    const earlier = seen.get(cache);
    if (earlier !== undefined) {
      throw new KvError({
        code: "invalid_option",
        path: ["step", "batch", i, "cache"],
        found: `the cache of pair ${earlier}`,
        allowed: "a cache that is in the batch once",
        hint: "fork it to continue it in two ways",
      });
    }
    seen.set(cache, i);
  }
}
