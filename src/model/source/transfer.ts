/** Bytes from a network onto the disk, at their place in a file. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { onDisk } from "./faults.ts";

export interface Transfer {
  readonly stream: ReadableStream<Uint8Array>;
  readonly path: string;
  /** Where in the file the stream begins. */
  readonly start: number;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Milliseconds without a byte before it counts as cut. */
  readonly stall: number;
  readonly onBytes: (received: number) => void;
}

/** The stream ended early, went silent, or gave more than the file has. */
export class Interrupted extends Error {}

/**
 * Writes a stream into a file from `start` to its end. What came before a failure stays, to be continued.
 *
 * @throws Interrupted, KvError `disk_error`, and whatever the stream fails of
 */
export async function transfer({ stream, path, start, size, stall, onBytes }: Transfer): Promise<void> {
  await using file = await onDisk(path, () => open(path, constants.O_RDWR | constants.O_CREAT));
  const reader = stream.getReader();
  let position = start;
  try {
    for (;;) {
      const { done, value } = await readWithin(reader, stall);
      if (done || value === undefined) break;
      if (position + value.length > size) throw new Interrupted(`more than the file's ${size} bytes came`);
      // At an explicit position: a write repeated by anyone puts the same bytes at the same place.
      for (let written = 0; written < value.length; ) {
        const from = written;
        written += (await onDisk(path, () => file.write(value, from, value.length - from, position + from)))
          .bytesWritten;
      }
      position += value.length;
      onBytes(position);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
  if (position < size) throw new Interrupted(`the connection ended after ${position} of ${size} bytes`);
}

/** What Bun's and the standard's readers have in common. */
interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

async function readWithin(reader: Reader, stall: number) {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Interrupted(`no bytes came for ${stall} ms`)), stall);
  try {
    return await Promise.race([reader.read(), silence]);
  } finally {
    clearTimeout(timer);
  }
}
