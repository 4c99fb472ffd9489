/**
 * Memory of one thread that another reads where it lies: what crosses is an address, and nothing is copied.
 *
 * It is as safe as any native call, on the same terms: until the borrower is done, the lender keeps what it lent and leaves it
 * alone.
 *
 * SharedArrayBuffer would be the tidier way, but under Deno onnxruntime-node refuses arrays over one ("Invalid argument"), and
 * collectors do not feel its weight: 400 arrays of 20 MB, made and dropped one after the other, took 6.0 GB at their peak under
 * Deno and 0.33 under Bun, over ordinary buffers 0.23 and 0.14 (2026-11).
 */
import { createRequire } from "node:module";
import { KvError } from "../../error.ts";
import type { Feed, TensorData } from "../session.ts";

export type Feeds = Readonly<Record<string, Feed>>;

/**
 * Where feeds lie in the lender's memory: of each its element's type, its buffer's address and bytes, its part of the buffer
 * (a first byte, a count of elements), how many dimensions it has, and these. Flat, because a step's 200 feeds as objects take
 * 0.14 ms to post, and as numbers 0.01 (2026-11). Addresses are below 2^53.
 */
export interface Lent {
  readonly names: readonly string[];
  readonly places: Float64Array;
}

const ARRAYS = [Float32Array, Float64Array, Int32Array, BigInt64Array, Uint8Array] as const;
/** Beyond the arrays' own: bytes that are numbers. */
const BYTES = ARRAYS.length;

/** What Bun and Deno offer to libraries that call C. */
interface Pointers {
  addressOf(buffer: ArrayBufferLike): number;
  bufferAt(address: number, bytes: number): ArrayBuffer;
}

interface BunFfi {
  ptr(buffer: ArrayBufferLike): number;
  toArrayBuffer(address: number, offset: number, bytes: number): ArrayBuffer;
}

interface DenoPointers {
  readonly UnsafePointer: {
    of(buffer: ArrayBufferLike): object | null;
    value(pointer: object | null): bigint;
    create(address: bigint): object | null;
  };
  readonly UnsafePointerView: { getArrayBuffer(pointer: object | null, bytes: number): ArrayBuffer };
}

const pointers = findPointers();

function findPointers(): Pointers | null {
  if (process.versions.bun !== undefined) {
    const { ptr, toArrayBuffer }: BunFfi = createRequire(import.meta.url)("bun:ffi");
    return { addressOf: (buffer) => ptr(buffer), bufferAt: (address, bytes) => toArrayBuffer(address, 0, bytes) };
  }
  const deno: DenoPointers | undefined = Reflect.get(globalThis, "Deno");
  if (deno === undefined) return null;
  const { UnsafePointer, UnsafePointerView } = deno;
  return {
    addressOf: (buffer) => Number(UnsafePointer.value(UnsafePointer.of(buffer))),
    bufferAt: (address, bytes) => UnsafePointerView.getArrayBuffer(UnsafePointer.create(BigInt(address)), bytes),
  };
}

function needed(): Pointers {
  if (pointers !== null) return pointers;
  const found = `true under Node ${process.versions.node}`;
  throw new KvError({ code: "invalid_option", path: ["worker"], found, allowed: "false, or used with Bun or Deno" });
}

/** @throws KvError `invalid_option` where threads cannot lend memory */
export const refuseWithoutPointers = (): void => void needed();

/** The caller keeps the feeds, and leaves them alone, until the borrower is done. */
export function lend(feeds: Feeds): Lent {
  const { addressOf } = needed();
  const places: number[] = [];
  for (const name in feeds) {
    const { data, dims, type: element } = feeds[name] as Feed;
    const { buffer, byteOffset, length } = data;
    const address = buffer.byteLength === 0 ? 0 : addressOf(buffer);
    const type = element === "uint8" ? BYTES : ARRAYS.findIndex((array) => data instanceof array);
    places.push(type, address, buffer.byteLength, byteOffset, length, dims.length, ...dims);
  }
  return { names: Object.keys(feeds), places: Float64Array.from(places) };
}

/** Buffers that are remembered. Reached after some dozen steps, because most are small and new. */
const MOST = 4096;

/**
 * What was lent, as arrays of this thread. Buffers are remembered by their place, because each new one weighs on this thread's
 * collector as if it were memory of its own: without, a run over 60 buffers of 6 MB took 7 ms more under Bun and 4 under Deno
 * (2026-11). One that was freed meanwhile is not looked into, until its address is lent again and means what lies there by then.
 */
export class Borrowed {
  readonly #buffers = new Map<number, ArrayBuffer>();

  feeds({ names, places }: Lent): Record<string, Feed> {
    const feeds: Record<string, Feed> = {};
    let at = 0;
    for (const name of names) {
      const [type = 0, address = 0, bytes = 0, offset = 0, length = 0, rank = 0] = places.subarray(at, at + 6);
      const dims = [...places.subarray(at + 6, at + 6 + rank)];
      const data: TensorData = new (ARRAYS[type] ?? Uint8Array)(this.#at(address, bytes), offset, length);
      feeds[name] = type === BYTES ? { data, dims, type: "uint8" } : { data, dims };
      at += 6 + rank;
    }
    return feeds;
  }

  #at(address: number, bytes: number): ArrayBuffer {
    if (bytes === 0) return new ArrayBuffer(0);
    const known = this.#buffers.get(address);
    if (known?.byteLength === bytes) return known;
    if (this.#buffers.size >= MOST) this.#buffers.clear();
    const buffer = needed().bufferAt(address, bytes);
    this.#buffers.set(address, buffer);
    return buffer;
  }
}
