/** Zip archives for tests: deflated entries, one after the other. @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
import { crc32, deflateRawSync } from "node:zlib";

/** @param spoil may change what an entry is packed as; its size in the headers stays that of the content */
export function zipOf(
  entries: readonly (readonly [string, Uint8Array])[],
  spoil: (packed: Uint8Array) => Uint8Array = (packed) => packed,
): Uint8Array {
  const [bodies, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, content] of entries) {
    const packed = spoil(deflateRawSync(content));
    const path = Buffer.from(name);
    const common = numbers(
      [2, 20],
      [2, 0],
      [2, 8],
      [4, 0],
      [4, crc32(content)],
      [4, packed.length],
      [4, content.length],
    );
    const body = Buffer.concat([numbers([4, 0x04034b50]), common, numbers([2, path.length], [2, 0]), path, packed]);
    const rest = numbers([2, path.length], [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]);
    directory.push(Buffer.concat([numbers([4, 0x02014b50], [2, 20]), common, rest, path]));
    bodies.push(body);
    offset += body.length;
  }
  const listing = Buffer.concat(directory);
  const count: [number, number] = [2, entries.length];
  const end = numbers([4, 0x06054b50], [2, 0], [2, 0], count, count, [4, listing.length], [4, offset], [2, 0]);
  return Buffer.concat([...bodies, listing, end]);
}

/** Unsigned little-endian integers, each with its width in bytes. */
const numbers = (...values: readonly (readonly [number, number])[]): Buffer =>
  Buffer.concat(
    values.map(([width, value]) => {
      const bytes = Buffer.alloc(width);
      bytes.writeUIntLE(value, 0, width);
      return bytes;
    }),
  );
