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
  /** When bytes last reached this machine, even if the stream has not handed them on; milliseconds since 1970. */
  readonly activity: () => number;
  readonly onBytes: (received: number) => void;
}

/** The stream ended early, went silent, or gave more than the file has. */
export class Interrupted extends Error {}

/**
 * Writes a stream into a file from `start` to its end. What came before a failure stays, to be continued.
 *
 * @throws Interrupted, KvError `disk_error`, and whatever the stream fails of
 */
export async function transfer({ stream, path, start, size, stall, activity, onBytes }: Transfer): Promise<void> {
  await using file = await onDisk(path, () => open(path, constants.O_RDWR | constants.O_CREAT));
  const reader = stream.getReader();
  let position = start;
  try {
    for (;;) {
      const { done, value } = await readWithin(reader, stall, activity);
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

async function readWithin(reader: Reader, stall: number, activity: () => number) {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const began = Date.now();
  const look = () => {
    const left = Math.max(began, activity()) + stall - Date.now();
    if (left > 0) timer = setTimeout(look, left);
    else reject(new Interrupted(`no bytes came for ${stall} ms`));
  };
  let timer = setTimeout(look, stall);
  try {
    return await Promise.race([reader.read(), silence]);
  } finally {
    clearTimeout(timer);
  }
}
