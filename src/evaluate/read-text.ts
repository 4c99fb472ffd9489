/** Text files of the user's. */
import { readFileSync } from "node:fs";
import { KvError } from "../error.ts";
import { invalid } from "../options.ts";

/**
 * @param option the task and its option that named the file
 * @throws KvError `invalid_option` where it cannot be read, `corrupt_file` where it is not UTF-8
 */
export function readText(path: string, option: readonly [task: string, option: string]): string {
  const bytes = contents(path, option);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const found = "other bytes";
    throw new KvError({ code: "corrupt_file", path: [path], found, allowed: "text in UTF-8", cause });
  }
}

function contents(path: string, option: readonly [task: string, option: string]): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    throw invalid(option, path, "the path of a file that can be read");
  }
}
