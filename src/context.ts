/** A prefilled prompt: what the stages after prefill work on. */
import { KvCache } from "./cache/cache.ts";
import type { EntriesInMemory, EntriesOnDevice } from "./cache/contents.ts";
import type { LayerEntries, Places } from "./cache/layer.ts";
import type { Origins } from "./cache/origins.ts";
import type { PromptEntries } from "./cache/prompt-entries.ts";
import { KvError } from "./error.ts";
import { identityOf, type Model } from "./loaded.ts";
import type { Observation } from "./observation.ts";

/** Entries to choose from, equally many for every KV head of every layer, and what was observed of the attention to them. */
export interface Choosable {
  readonly model: Model;
  /** Entries per KV head. */
  readonly length: number;
  readonly entries: PromptEntries;
  readonly observation: Observation;
  /** All tokens of the prompt, by position; null where it went by in pieces. */
  readonly tokens: Int32Array | null;
}

/** A prompt after prefill. Any number of methods can compress it; it never changes. */
export interface Context extends Choosable, Disposable {
  /** Tokens of the prompt. */
  readonly length: number;
  readonly tokens: Int32Array;
  /** Logits after the last token: [vocab]. */
  readonly logits: Float32Array;
  /** The full cache, ready to decode on. It is one cache: fork it to use it twice. */
  readonly cache: KvCache;
  /** The full cache's entries, which decoding on `cache` does not touch. @throws KvError `on_device` where they are not in memory */
  readonly layers: readonly LayerEntries[];
  /** The same, brought into memory where they are not. */
  read(): Promise<readonly LayerEntries[]>;
}

/** Entries of a prompt, and the position of the token that follows them. */
export type Kept = (EntriesInMemory | EntriesOnDevice) & {
  readonly length: number;
  /** Where they come from, if their positions are packed. */
  readonly origins: Origins | null;
};

/** A context that owns the entries until it is disposed. */
export function contextOf(
  model: Model,
  tokens: Int32Array,
  entries: PromptEntries,
  logits: Float32Array,
  observation: Observation,
): Context {
  const cache = promptCache(model, { ...wholeOf(entries), length: tokens.length, origins: null }, logits, observation);
  let live: { entries: PromptEntries; observation: Observation } | null = { entries, observation };
  const contents = () => {
    if (live !== null) return live;
    throw new KvError({
      code: "disposed",
      path: ["context"],
      found: "disposed",
      allowed: "a context in use",
      hint: "prefill the prompt again",
    });
  };
  return {
    model,
    length: tokens.length,
    tokens,
    logits,
    cache,
    get entries() {
      return contents().entries;
    },
    get layers() {
      return contents().entries.layers();
    },
    read: async () => contents().entries.read(),
    get observation() {
      return contents().observation;
    },
    [Symbol.dispose]() {
      live?.entries[Symbol.dispose]();
      live = null;
      cache[Symbol.dispose]();
    },
  };
}

/** All of a prompt's entries, shared with whoever else has them. */
const wholeOf = (entries: PromptEntries): EntriesInMemory | EntriesOnDevice =>
  entries.onDevice === null ? { layers: entries.layers() } : { layers: entries.places, device: entries.onDevice(null) };

/** A cache that holds these entries of the prompt and no more, and what is known of the attention that they received. */
export function promptCache(
  model: Model,
  kept: Kept,
  logits: Float32Array,
  observation: Pick<Observation, "columnSums"> = { columnSums: null },
): KvCache {
  const { config } = model;
  const geometry = { layers: config.layers, kvHeads: config.kvHeads, headDim: config.headDim };
  return new KvCache({
    model: identityOf(model),
    geometry,
    ...kept,
    logits,
    received: receivedBy(kept.layers, observation),
  });
}

/** Of each entry, the prompt's attention summed over the query heads that read its KV head. */
function receivedBy(
  layers: readonly Places[],
  { columnSums }: Pick<Observation, "columnSums">,
): readonly Float32Array[] | null {
  if (columnSums === null) return null;
  return layers.map(({ positions, offsets }, layer) => {
    const { data = new Float32Array(0), dims: [heads = 0, columns = 0] = [] } = columnSums[layer] ?? {};
    const group = heads / (offsets.length - 1);
    const received = new Float32Array(positions.length);
    for (let head = 0; head < heads; head++) {
      const [from = 0, to = 0] = offsets.subarray(Math.floor(head / group), Math.floor(head / group) + 2);
      for (let i = from; i < to; i++)
        received[i] = (received[i] ?? 0) + (data[head * columns + (positions[i] ?? 0)] ?? 0);
    }
    return received;
  });
}
