/** A cursor over the head of a GGUF file, little-endian; it reads ahead in windows, so that the weights stay on disk. */

import { KvError } from "../../error.ts";
import type { RangeFile } from "./range-file.ts";

export interface GgufReader {
  /** Where the next read begins. */
  readonly position: number;
  /**
   * How many items of at least `least` bytes follow. @throws KvError `corrupt_file` when the rest could not hold them
   */
  count(least: number, place: string): number;
  number(kind: GgufNumber, place: string): number;
  /** A count or an offset. @throws KvError `corrupt_file` above 2^52 */
  size(place: string): number;
  /** A u64 or i64, as a number below 2^52. */
  long(signed: boolean, place: string): number | bigint;
  text(place: string): string;
  corrupt(place: string, found: unknown, allowed: string): KvError;
}

export type GgufNumber = keyof typeof numbers;

const numbers = {
  u8: { bytes: 1, read: (view: DataView, at: number) => view.getUint8(at) },
  i8: { bytes: 1, read: (view: DataView, at: number) => view.getInt8(at) },
  u16: { bytes: 2, read: (view: DataView, at: number) => view.getUint16(at, true) },
  i16: { bytes: 2, read: (view: DataView, at: number) => view.getInt16(at, true) },
  u32: { bytes: 4, read: (view: DataView, at: number) => view.getUint32(at, true) },
  i32: { bytes: 4, read: (view: DataView, at: number) => view.getInt32(at, true) },
  f32: { bytes: 4, read: (view: DataView, at: number) => view.getFloat32(at, true) },
  f64: { bytes: 8, read: (view: DataView, at: number) => view.getFloat64(at, true) },
};

/** Vocabularies of 256,000 tokens take some 10 MB; a header that goes on beyond this is not one. */
const headerLimit = 64 << 20;
/** All counts together: an item in memory is larger than in the file, so bytes alone bound too little. */
const itemLimit = 1 << 22;
const windowBytes = 1 << 18;
/** Chat templates are tens of kilobytes. */
const textLimit = 1 << 20;

/** @throws KvError `corrupt_file` from every method, when the header or the file ends before what was asked for */
export function ggufReader(file: RangeFile): GgufReader {
  const end = Math.min(file.size, headerLimit);
  const decoder = new TextDecoder("utf-8");
  const buffer = new Uint8Array(Math.min(end, windowBytes + textLimit));
  const view = new DataView(buffer.buffer);
  let windowStart = 0;
  let windowEnd = 0;
  let position = 0;
  let items = 0;

  const corrupt = (place: string, found: unknown, allowed: string): KvError =>
    new KvError({ code: "corrupt_file", path: [file.path, place], found, allowed });

  /** Makes the next `count` bytes present, and steps over them; gives their place in the buffer. */
  const take = (count: number, place: string): number => {
    if (count > end - position) throw corrupt(place, `${count} bytes`, `within the ${end - position} bytes left`);
    if (position + count > windowEnd) {
      windowStart = position;
      windowEnd = Math.min(end, position + Math.max(count, windowBytes));
      file.readInto(buffer.subarray(0, windowEnd - windowStart), windowStart);
    }
    position += count;
    return position - count - windowStart;
  };

  const long = (signed: boolean, place: string): number | bigint => {
    const at = take(8, place);
    const high = signed ? view.getInt32(at + 4, true) : view.getUint32(at + 4, true);
    if (Math.abs(high) < 1 << 20) return high * 2 ** 32 + view.getUint32(at, true);
    return signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true);
  };

  const size = (place: string): number => {
    const value = long(false, place);
    if (typeof value === "bigint") throw corrupt(place, value, "a size that a file can have");
    return value;
  };

  return {
    get position() {
      return position;
    },
    count(least, place) {
      const claimed = size(place);
      const limit = Math.min(Math.floor((end - position) / least), itemLimit - items);
      if (claimed > limit) throw corrupt(place, claimed, `at most ${limit} in this file`);
      items += claimed;
      return claimed;
    },
    number: (kind, place) => numbers[kind].read(view, take(numbers[kind].bytes, place)),
    long,
    size,
    text(place) {
      const length = size(place);
      if (length > textLimit) throw corrupt(place, `${length} bytes of text`, `at most ${textLimit}`);
      const at = take(length, place);
      return decoder.decode(buffer.subarray(at, at + length));
    },
    corrupt,
  };
}
