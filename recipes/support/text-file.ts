import { readFile } from "node:fs/promises";
import { KvError } from "../../src/index.ts";

/**
 * A text file that a command line names.
 *
 * @param option what named it
 * @param allowed the end of "must be ..."
 * @throws KvError `invalid_option` for one that cannot be read
 */
export async function textOf(path: string, option: string, allowed = "a file that can be read"): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new KvError({ code: "invalid_option", path: [option], found, allowed, cause });
  }
}
