/** A cursor over the head of a GGUF file, little-endian; it reads ahead in windows, so that the weights stay on disk. */

import { KvError } from "../error.ts";
import type { RangeFile } from "./weights-file.ts";

export interface GgufReader {
  /** Where the next read begins. */
  readonly position: number;
  /** Bytes that may still be read; no count in the header can be larger. */
  readonly remaining: number;
  number(kind: GgufNumber, place: string): number;
  /** A count or an offset. @throws KvError `corrupt_file` above 2^53 */
  size(place: string): number;
  /** A u64 or i64, as a number where that is exact. */
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
    const value = signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true);
    const exact = BigInt.asIntN(53, value) === value || (value >= 0n && value <= Number.MAX_SAFE_INTEGER);
    return exact ? Number(value) : value;
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
    get remaining() {
      return end - position;
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
