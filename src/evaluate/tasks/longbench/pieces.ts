/** Files of many examples, read as a stream: pieces that are JSON each, however the bytes come. */
import { Buffer } from "node:buffer";

export type Piece = {
  /** "line 3" or "item 3", counted from 1. */
  readonly place: string;
} & ({ readonly bytes: Uint8Array } | { readonly found: string; readonly allowed: string });

/** Longer than any example there is (some of LongBench v2 have 12 MB), and no harm to memory. */
export const LIMIT = 64 << 20;

/** The lines of a text. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, limit = LIMIT): AsyncGenerator<Piece> {
  const line = collector("line", limit);
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      yield line.end(chunk.subarray(from, end));
      from = end + 1;
    }
    line.add(chunk.subarray(from));
  }
  yield line.end();
}

/** The items of one JSON list: what is between its brackets, cut at commas outside of texts and inner brackets. */
export async function* itemsOf(chunks: AsyncIterable<Uint8Array>, limit = LIMIT): AsyncGenerator<Piece> {
  const item = collector("item", limit);
  let place: Place = { depth: 0, quoted: false, escaped: false };
  for await (const chunk of chunks) {
    const { ends, after } = itemEnds(chunk, place);
    let from = 0;
    for (const { at, begins } of ends) {
      if (begins)
        item.add(chunk.subarray(from, at)); // blanks, or what makes the first item no JSON
      else yield item.end(chunk.subarray(from, at));
      from = at + 1;
    }
    item.add(chunk.subarray(from));
    place = after;
  }
  const rest = item.end();
  yield place.depth === 0
    ? rest
    : { place: rest.place, found: "the end of the file", allowed: "a list with all its brackets" };
}

/** Where in a JSON text one is. */
interface Place {
  /** Open brackets. */
  readonly depth: number;
  /** In a text, and right behind a backslash of it. */
  readonly quoted: boolean;
  readonly escaped: boolean;
}

/**
 * Where a chunk has the bracket that begins the list, and the commas and the bracket that end its items. Apart from the generator, whose loops
 * are not compiled: 105 MB in 0.3 s rather than 5 (2026-11; LongBench v2 has more).
 */
function itemEnds(chunk: Uint8Array, { depth, quoted, escaped }: Place) {
  const ends: { readonly at: number; readonly begins: boolean }[] = [];
  for (let at = 0; at < chunk.length; at++) {
    const byte = chunk[at];
    if (quoted) {
      quoted = escaped || byte !== QUOTE;
      escaped = !escaped && byte === BACKSLASH;
    } else if (byte === QUOTE) quoted = true;
    else if (byte === LIST || byte === OBJECT) {
      if (depth++ === 0) ends.push({ at, begins: true });
    } else if (byte === LIST_END || byte === OBJECT_END) {
      if (--depth === 0) ends.push({ at, begins: false });
    } else if (byte === COMMA && depth === 1) ends.push({ at, begins: false });
  }
  return { ends, after: { depth, quoted, escaped } };
}

const [NEWLINE, QUOTE, BACKSLASH, COMMA] = [0x0a, 0x22, 0x5c, 0x2c];
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Puts pieces together from their parts; of one over the limit nothing is kept. */
function collector(name: string, limit: number) {
  let [parts, length, number]: [Uint8Array[], number, number] = [[], 0, 1];
  const add = (part: Uint8Array): void => {
    length += part.length;
    if (length > limit) parts = [];
    else parts.push(part);
  };
  return {
    add,
    /** The piece that this part ends. */
    end(part: Uint8Array = new Uint8Array()): Piece {
      add(part);
      const place = `${name} ${number++}`;
      const piece = length > limit ? tooLong(place, limit) : { place, bytes: Buffer.concat(parts) };
      [parts, length] = [[], 0];
      return piece;
    },
  };
}

const tooLong = (place: string, limit: number): Piece => ({ place, found: `over ${limit} bytes`, allowed: "shorter" });
