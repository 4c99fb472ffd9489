/** Examples of a file: pieces of JSON that are checked one by one, so that one bad line costs no more than itself. */
import type { z } from "zod";
import { KvError } from "../../../error.ts";
import { decodeText, parseJson, parseWith } from "../../../model/open-json.ts";
import type { Piece } from "./pieces.ts";

/**
 * The records that a file's pieces hold. Blank pieces and a byte order mark at the beginning are nothing. An `_id` that came before gets
 * its place added, so that all differ.
 *
 * @param onMalformed is told of each piece that is no record, which is then left out; null makes it the end
 * @throws KvError `corrupt_file` with file and place, also for a file without any record
 */
export async function* recordsOf<Schema extends z.ZodType<{ readonly _id: string }>>(
  file: string,
  pieces: AsyncIterable<Piece>,
  schema: Schema,
  onMalformed: ((fault: KvError) => void) | null,
): AsyncGenerator<z.output<Schema>> {
  const ids = new Set<string>();
  for await (const piece of pieces) {
    const record = parsed(file, piece, schema);
    if (record instanceof KvError) {
      if (onMalformed === null) throw record;
      onMalformed(record);
    } else if (record !== null) {
      const { _id } = record;
      yield ids.has(_id) ? { ...record, _id: `${_id} (${piece.place})` } : record;
      ids.add(_id);
    }
  }
  if (ids.size > 0) return;
  throw new KvError({ code: "corrupt_file", path: [file], found: "no examples", allowed: "at least one example" });
}

/** The piece's record, what is wrong with it, or null for a blank one. */
function parsed<Schema extends z.ZodType>(
  file: string,
  piece: Piece,
  schema: Schema,
): z.output<Schema> | KvError | null {
  const { place } = piece;
  if (!("bytes" in piece)) {
    const { found, allowed } = piece;
    return new KvError({ code: "corrupt_file", path: [file, place], found, allowed });
  }
  try {
    const text = decodeText(piece.bytes, place).trim(); // of a byte order mark too
    return text === "" ? null : parseWith(schema, parseJson(text, place), "corrupt_file", place);
  } catch (thrown) {
    if (!(thrown instanceof KvError)) throw thrown;
    const { code, path, found, allowed, cause } = thrown;
    return new KvError({ code, path: [file, ...path], found, allowed, cause });
  }
}
