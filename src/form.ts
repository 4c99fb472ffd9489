/** Brings a cache into the form that its method asks for. */
import type { KvCache } from "./cache/cache.ts";
import type { Choosable } from "./context.ts";
import type { Method } from "./methods/method.ts";
import { queriesIn } from "./packing.ts";
import { keyChannels } from "./scoring/key-channels.ts";

/** The cache in its method's form, which it goes over into. */
export function inFormOf({ form }: Method, { model, observation }: Choosable, cache: KvCache): KvCache {
  if (form === undefined) return cache;
  using fp32 = cache;
  const { channels, recent, bits } = form;
  const chosen =
    channels === null
      ? null
      : fp32.layers.map((entries, layer) => {
          const queries = observation.queries[layer];
          if (queries === undefined) throw new RangeError(`no layer ${layer}`);
          return keyChannels(queriesIn(fp32, model.config, layer, queries), entries, recent, channels);
        });
  return fp32.inForm({
    bits,
    recent,
    channels: chosen === null ? null : Int32Array.from(chosen.flatMap((c) => [...c])),
  });
}
