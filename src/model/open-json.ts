/** JSON files of a model folder: bounded, parsed and validated before anything else sees them. */

import type { z } from "zod";
import { KvError, type KvErrorCode } from "../error.ts";
import type { ModelFolder } from "./folder.ts";

/** Reads a whole small file as text. @throws KvError `corrupt_file` when it is larger than `limit` bytes or not UTF-8 */
export function readText(folder: ModelFolder, name: string, limit: number): string {
  using file = folder.open(name);
  const { path } = file;
  if (file.size > limit) {
    throw new KvError({
      code: "corrupt_file",
      path: [path],
      found: `${file.size} bytes`,
      allowed: `at most ${limit} bytes`,
    });
  }
  const bytes = new Uint8Array(file.size);
  file.readInto(bytes, 0);
  return decodeText(bytes, path);
}

/** Reads and parses a JSON file. @throws KvError `corrupt_file` when it is too large or not JSON */
export function readJson(folder: ModelFolder, name: string, limit: number): unknown {
  return parseJson(readText(folder, name, limit), folder.pathOf(name));
}

/** As `readJson`, or null where there is no such file. */
export const readOptionalJson = (folder: ModelFolder, name: string, limit: number): unknown =>
  folder.has(name) ? readJson(folder, name, limit) : null;

/** @throws KvError `corrupt_file` when `text` is not JSON */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KvError({ code: "corrupt_file", path: [path], found: text.slice(0, 60), allowed: "JSON", cause });
  }
}

/** @throws KvError `corrupt_file` when `bytes` are not UTF-8 */
export function decodeText(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new KvError({ code: "corrupt_file", path: [path], found: "other bytes", allowed: "UTF-8 text", cause });
  }
}

/** Validates what came from a file, the first fault named by its place. */
export function parseWith<T extends z.ZodType>(
  schema: T,
  value: unknown,
  code: KvErrorCode,
  path: string,
): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = (issue?.path ?? []).map((part) => (typeof part === "symbol" ? part.toString() : part));
  throw new KvError({
    code,
    path: [path, ...place],
    found: at(value, place),
    allowed: issue ? wording(issue) : "valid",
    cause: parsed.error,
  });
}

const at = (value: unknown, place: readonly (string | number)[]): unknown =>
  place.reduce<unknown>((inner, key) => (inner instanceof Object ? Reflect.get(inner, key) : undefined), value) ??
  "absent";

/** zod says "Invalid input: expected number, received string"; ours ends "must be ...". */
const wording = ({ message }: { readonly message: string }): string =>
  message
    .replace(/^Invalid (?:input|option): expected (.*?)(?:, received .*)?$/, "$1")
    .replace(/^Too \w+: expected /, "");
