/** A file that is read by range, wherever its bytes lie. */
import { KvError } from "../../error.ts";

export interface RangeFile extends Disposable {
  readonly path: string;
  /** Bytes, when it was opened. */
  readonly size: number;
  /** Fills `into` from `offset`. @throws KvError `corrupt_file` at a short read, `disk_error`, `disposed` */
  readInto(into: Uint8Array, offset: number): void;
  /** Of the whole file, hex; does not block. @throws KvError `disposed` */
  sha256(): Promise<string>;
  /** Changes when the file does; null where nothing tells. @throws KvError `disposed` */
  identity(): string | null;
}

/** A file whose bytes are in memory. They are not copied, and must stay as they are. */
export function memoryFile(path: string, bytes: Uint8Array<ArrayBuffer>): RangeFile {
  return {
    path,
    size: bytes.length,
    readInto(into, offset) {
      const part = bytes.subarray(offset, offset + into.length);
      if (part.length < into.length) throw truncated(path, offset, into.length, part.length);
      into.set(part);
    },
    sha256: async () => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex(),
    identity: () => null,
    [Symbol.dispose]() {},
  };
}

export const truncated = (path: string, offset: number, wanted: number, found: number): KvError =>
  new KvError({
    code: "corrupt_file",
    path: [path, `byte ${offset}`],
    found: `${found} bytes`,
    allowed: `${wanted} bytes long`,
    hint: "the file ends too early",
  });
