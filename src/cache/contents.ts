/** What a cache consists of, as one value: a cache that changes takes another (changes.ts). */
import { KvError } from "../error.ts";
import { bytesOf, type CompactEntries } from "./compact/entries.ts";
import { NOTHING_SEEN, type TokenSight } from "./decider.ts";
import type { DeviceEntries } from "./device-entries.ts";
import type { CacheGeometry, LayerEntries, LayerPlaces } from "./layer.ts";
import type { Origins } from "./origins.ts";
import { emptyTail, type Tail } from "./tail.ts";

/** What was kept of a prompt, and what came later; in memory. */
export interface EntriesInMemory {
  readonly layers: readonly LayerEntries[];
  /** Default: nothing came later. */
  readonly tail?: Tail;
  readonly device?: null;
}

/** The same on a device. */
export interface EntriesOnDevice {
  readonly layers: readonly LayerPlaces[];
  readonly tail?: Pick<Tail, "length">;
  readonly device: DeviceEntries;
}

/** A cache beside its entries. */
interface About {
  /** Identity of the model whose keys and values these are. */
  readonly model: string;
  readonly geometry: CacheGeometry;
  /** The position of the next token: tokens seen so far, kept or not, unless positions are packed. */
  readonly length: number;
  /** Logits of the next token: [vocab]; null where an engine drew it from them and left them on its device. */
  readonly logits: Float32Array | null;
  /** What the newest token showed. */
  readonly sight: TokenSight;
  /** What the prompt's attention gave to the entries of `layers` (decider.ts), where it was observed. */
  readonly received: readonly Float32Array[] | null;
  /** Entries older than those of `layers`, in another form. */
  readonly compact: CompactEntries | null;
  /** Where entries come from whose positions are packed; null where positions are true. */
  readonly origins: Origins | null;
}

/** What is said of a cache at least. */
export type AtLeast = Pick<About, "model" | "geometry" | "length" | "logits"> & Partial<About>;

/** What a cache is made of. */
export type CacheContents = AtLeast & (EntriesInMemory | EntriesOnDevice);

/** Contents whose entries are in memory. */
export type InMemory = About & Required<EntriesInMemory>;

/** The same with nothing left out. */
export type Contents = InMemory | (About & Required<EntriesOnDevice>);

const NOTHING_SAID = { sight: NOTHING_SEEN, received: null, compact: null, origins: null, tail: emptyTail };

export const complete = (given: CacheContents): Contents =>
  given.device === undefined || given.device === null
    ? { ...NOTHING_SAID, ...given, device: null }
    : { ...NOTHING_SAID, ...given };

/** The contents of a cache that was not disposed. @throws KvError `disposed` */
export function inUse(contents: Contents | null): Contents {
  if (contents !== null) return contents;
  throw new KvError({
    code: "disposed",
    path: ["cache"],
    found: "disposed",
    allowed: "a cache in use",
    hint: "fork a cache to keep it beyond its scope",
  });
}

/** The contents with their numbers. @throws KvError `on_device` where these are not in memory */
export function inMemory(contents: Contents): InMemory {
  if (contents.device === null) return contents;
  throw onDevice("cache");
}

/** What is asked for as a view of memory is not there. */
export const onDevice = (what: string): KvError =>
  new KvError({
    code: "on_device",
    path: [what, "layers"],
    found: "keys and values on a device",
    allowed: "keys and values in memory",
    hint: `\`await ${what}.${what === "cache" ? "inMemory" : "read"}()\` brings a copy into memory`,
  });

/** The logits of the next token. @throws KvError `on_device` where they were never in memory */
export function logitsOf({ logits }: Contents): Float32Array {
  if (logits !== null) return logits;
  throw new KvError({
    code: "on_device",
    path: ["cache", "logits"],
    found: "logits from which an engine drew",
    allowed: "logits in memory",
    hint: "`step` leaves them there",
  });
}

/** Bytes allocated for keys and values, in whatever form. */
export function allocatedBytes({ layers, tail, compact, device }: Contents): number {
  const older = compact === null ? 0 : bytesOf(compact);
  if (device !== null) return device.bytes + older;
  const buffers = new Set(layers.flatMap(({ keys, values }) => [keys.buffer, values.buffer]));
  return [...buffers, tail.data.buffer].reduce((sum, buffer) => sum + buffer.byteLength, older);
}
