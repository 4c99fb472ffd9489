/** Brings a cache into the form that its method asks for. */
import type { KvCache } from "./cache/cache.ts";
import type { Choosable } from "./context.ts";
import type { Method, MethodCrossLayer, MethodForm } from "./methods/method.ts";
import type { ModelConfig } from "./model/config.ts";
import { invalid } from "./options.ts";
import { queriesIn } from "./packing.ts";
import { keyChannels } from "./scoring/key-channels.ts";

/** The cache in its method's form, which it goes over into. @throws KvError `invalid_option` for a form that the model has no layers for */
export async function inFormOf({ form, crossLayer }: Method, choosable: Choosable, cache: KvCache): Promise<KvCache> {
  if (form === undefined && crossLayer === undefined) return cache;
  using wherever = cache;
  using fp32 = await wherever.inMemory();
  if (form !== undefined) return compacted(form, choosable, fp32);
  if (crossLayer === undefined) return cache;
  return fp32.crossLayer({ ...crossLayer, pairs: pairsOf(choosable.model.config, crossLayer) });
}

function compacted({ channels, recent, bits }: MethodForm, { model, observation }: Choosable, fp32: KvCache): KvCache {
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

/** The lower layers of pairs, two layers after two; where a sliding layer is beside a full one, keys may be turned at other speeds. */
function pairsOf({ layers, slidingWindow }: ModelConfig, { from }: MethodCrossLayer): readonly number[] {
  if (from !== null && from >= layers) throw invalid(["minicache", "from"], from, `a layer below ${layers}`);
  const first = from ?? Math.floor(layers / 2);
  const lower = Array.from({ length: Math.floor((layers - first) / 2) }, (_, i) => first + 2 * i);
  return lower.filter((layer) => (slidingWindow[layer] === null) === (slidingWindow[layer + 1] === null));
}
