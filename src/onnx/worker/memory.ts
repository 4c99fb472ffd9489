/**
 * Memory of one thread that another reads and writes where it lies: what crosses is an address, and nothing is copied.
 *
 * It is as safe as any native call, on the same terms: until the borrower is done, the lender keeps what it lent and leaves it alone.
 *
 * SharedArrayBuffer would be the tidier way, but under Deno onnxruntime-node refuses arrays over one ("Invalid argument"), and
 * collectors do not feel its weight: 400 arrays of 20 MB, made and dropped one after the other, took 6.0 GB at their peak under
 * Deno and 0.33 under Bun, over ordinary buffers 0.23 and 0.14 (2026-11).
 */
import { createRequire } from "node:module";
import { KvError } from "../../error.ts";
import type { Feed, TensorData } from "../session.ts";

type Address = number | bigint;

/** Where a feed's numbers lie in the lender's memory. */
export interface Lent {
  readonly type: keyof typeof ARRAYS;
  /** Of the whole buffer, which has so many bytes. */
  readonly address: Address;
  readonly bytes: number;
  /** The feed's part of it: a byte, and a count of elements. */
  readonly offset: number;
  readonly length: number;
  readonly dims: readonly number[];
}

const ARRAYS = { Float32Array, Int32Array, BigInt64Array, Uint8Array };

/** What Bun and Deno offer to libraries that call C. */
interface Pointers {
  addressOf(buffer: ArrayBufferLike): Address;
  bufferAt(address: Address, bytes: number): ArrayBuffer;
}

interface BunFfi {
  ptr(buffer: ArrayBufferLike): number;
  toArrayBuffer(address: Address, offset: number, bytes: number): ArrayBuffer;
}

interface DenoPointers {
  readonly UnsafePointer: {
    of(buffer: ArrayBufferLike): object | null;
    value(pointer: object | null): bigint;
    create(address: Address): object | null;
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
    addressOf: (buffer) => UnsafePointer.value(UnsafePointer.of(buffer)),
    bufferAt: (address, bytes) => UnsafePointerView.getArrayBuffer(UnsafePointer.create(address), bytes),
  };
}

function needed(): Pointers {
  if (pointers !== null) return pointers;
  const found = `true under Node ${process.versions.node}`;
  throw new KvError({ code: "invalid_option", path: ["worker"], found, allowed: "false, or used with Bun or Deno" });
}

/** @throws KvError `invalid_option` where threads cannot lend memory */
export const refuseWithoutPointers = (): void => void needed();

/** The caller keeps the feed, and leaves it alone, until the borrower is done. */
export function lend({ data, dims }: Feed): Lent {
  const { buffer, byteOffset: offset, length } = data;
  const address = buffer.byteLength === 0 ? 0 : needed().addressOf(buffer);
  const type = data.constructor.name as keyof typeof ARRAYS;
  return { type, address, bytes: buffer.byteLength, offset, length, dims };
}

/** Remembered buffers; reached every few dozen steps, because most are small and new. */
const MOST = 4096;

/**
 * What was lent, as arrays of this thread. Buffers are remembered by their place, because each new one weighs on this thread's collector like
 * memory of its own: without, a run over 60 buffers of 6 MB took 7 ms more under Bun and 4 under Deno (2026-11). One that
 * has been freed meanwhile is never looked into; whatever lies in its place afterwards is what its address means by then.
 */
export class Borrowed {
  readonly #buffers = new Map<Address, ArrayBuffer>();

  feed({ type, address, bytes, offset, length, dims }: Lent): Feed {
    const data: TensorData = new ARRAYS[type](this.#at(address, bytes), offset, length);
    return { data, dims };
  }

  #at(address: Address, bytes: number): ArrayBuffer {
    if (bytes === 0) return new ArrayBuffer(0);
    const known = this.#buffers.get(address);
    if (known?.byteLength === bytes) return known;
    if (this.#buffers.size >= MOST) this.#buffers.clear();
    const buffer = needed().bufferAt(address, bytes);
    this.#buffers.set(address, buffer);
    return buffer;
  }
}
