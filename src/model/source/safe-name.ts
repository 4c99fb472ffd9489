/**
 * Names that a listing, an index or a header claims: not to be believed before they are looked at.
 *
 * They are judged under both POSIX and Windows rules on every machine, since a cache may be shared or moved.
 */
import { KvError } from "../../error.ts";

/** A Hub commit: 40 hex digits. */
export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

/** One part of a path with no way out: not empty, "." or "..", no separators, drive letters or control characters. */
const isPlainPart = (part: string): boolean =>
  part !== "" && part.length <= 255 && !/^\.{1,2}$|^[A-Za-z]:/.test(part) && !/[\\/]|\p{Cc}/u.test(part);

/**
 * A path that stays inside the folder it is joined to: "a/b.gguf".
 *
 * @param source who claims it, for the message
 * @throws KvError `unsafe_path`
 */
export function safeRelativePath(name: string, source: string): string {
  if (name.split("/").every(isPlainPart)) return name;
  throw unsafe(name, source, "a relative path inside the model's folder");
}

/** A file name with no folder: "model-00001-of-00002.safetensors". @throws KvError `unsafe_path` */
export function safeFileName(name: string, source: string): string {
  if (isPlainPart(name)) return name;
  throw unsafe(name, source, "a plain file name");
}

function unsafe(found: string, source: string, allowed: string): KvError {
  return new KvError({ code: "unsafe_path", path: [source], found, allowed, hint: "nothing was written for it" });
}
