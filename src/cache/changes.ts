/** What becomes of a cache's contents as it is used. */
import { inverseFrequencies } from "../model/rope.ts";
import { untilDue } from "./compact/entries.ts";
import { settled } from "./compact/settle.ts";
import type { Contents, InMemory } from "./contents.ts";
import type { TokenSight, Workplace } from "./decider.ts";
import type { DeviceEntries } from "./device-entries.ts";
import { rearrangement } from "./device-rearrangement.ts";
import { compacted, type Evictions, takeOver } from "./evict.ts";
import { packing } from "./pack.ts";
import { appendRow, copyTail, rowLength, tailOf, withoutRows } from "./tail.ts";

/**
 * With one more token, whose keys and values are [L, 2, KH, d]. Generated tokens follow compact ones into their form once they are
 * enough. The old value must not be used again: both may share the tail's memory.
 */
export function appended(contents: InMemory, entries: Float32Array, logits: Float32Array, sight: TokenSight): InMemory {
  const length = contents.length + 1;
  const longer = { ...contents, length, logits, sight, tail: appendRow(contents.tail, entries) };
  return withSettled(longer);
}

/** With generated entries in the compact form, once they are due. */
export function withSettled(contents: InMemory): InMemory {
  const { compact, geometry, tail } = contents;
  if (compact === null || !isDue(contents)) return contents;
  return { ...contents, ...settled(compact, contents), tail: withoutRows(tail, rowLength(geometry)) };
}

/** Whether generated entries are enough to go over into a compact form. */
export const isDue = ({ compact, geometry, tail }: Contents): boolean =>
  compact !== null && untilDue(compact, tail.length, geometry) <= 0;

/** With one more token, whose keys and values are on the device already. */
export function advanced(contents: Contents, logits: Float32Array | null, sight: TokenSight): Contents {
  const next = { length: contents.length + 1, logits, sight };
  if (contents.device === null) throw new RangeError("a token in memory is appended");
  return { ...contents, ...next, tail: { length: contents.tail.length + 1 } };
}

/**
 * Without the entries that go. The old value must not be used again: both may share the tail's memory.
 *
 * @param inPlace whether the tail's entries take over their slots: these change, and nobody else may hold them
 * @param packed who turns keys so that what stays stands side by side; null where positions stay true
 */
export const evicted = (contents: Contents, gone: Evictions, inPlace: boolean, packed: Turner | null): Contents =>
  contents.device === null
    ? evictedInMemory(contents, gone, inPlace, packed)
    : evictedOnDevice(contents, contents.device, gone, inPlace, packed);

type Turner = Pick<Workplace, "turn" | "config">;

function evictedInMemory(contents: InMemory, gone: Evictions, inPlace: boolean, packed: Turner | null): InMemory {
  const { geometry, length, tail } = contents;
  const { headDim } = geometry;
  if (inPlace) takeOver(contents, gone);
  const left = inPlace ? contents.layers : compacted(contents, gone);
  const layers = left.map((entries, layer) => {
    if (packed === null) return entries;
    const { turned, turns } = packing(entries, length);
    for (const { slot, by } of turns)
      packed.turn(layer, entries.keys.subarray(slot * headDim, (slot + 1) * headDim), by);
    return { ...entries, turned };
  });
  return { ...contents, layers, received: null, tail: withoutRows(tail, rowLength(geometry)) };
}

function evictedOnDevice(
  contents: Contents,
  before: DeviceEntries,
  gone: Evictions,
  inPlace: boolean,
  packed: Turner | null,
): Contents {
  const { layers, moves } = rearrangement(contents, gone, inPlace);
  const device = before.rearranged(moves, inPlace);
  const left = layers.map((places, layer) => {
    if (packed === null) return places;
    const { turned, turns } = packing(places, contents.length);
    device.turn(layer, turns, inverseFrequencies(packed.config, layer));
    return { ...places, turned };
  });
  return { ...contents, layers: left, received: null, tail: { length: 0 }, device };
}

/** The same entries, whose numbers are on a device by now. */
export function onDevice({ layers, tail, ...about }: Contents, device: DeviceEntries): Contents {
  const places = layers.map(({ positions, offsets, turned, reused }) => ({
    positions,
    offsets,
    ...(turned === undefined ? {} : { turned }),
    ...(reused === undefined ? {} : { reused }),
  }));
  return { ...about, layers: places, tail: { length: tail.length }, device };
}

/** For a cache that goes on alone. */
export const forked = (contents: Contents): Contents =>
  contents.device === null
    ? { ...contents, tail: copyTail(contents.tail) }
    : { ...contents, device: contents.device.fork(contents.tail.length) };

/** A copy in memory, where it is not there. */
export async function broughtToMemory(contents: Contents): Promise<InMemory> {
  if (contents.device === null) return { ...contents, tail: copyTail(contents.tail) };
  const { length } = contents.tail;
  const { layers, tail } = await contents.device.read(length);
  const none = new Float32Array(0);
  return {
    ...contents,
    layers: contents.layers.map((places, layer) => ({ keys: none, values: none, ...places, ...layers[layer] })),
    tail: tailOf(tail, length),
    device: null,
  };
}
