/** A corpus as sequences of tokens: stretches of Moby-Dick, or a file from its beginning. */

import { stretches } from "../../src/evaluate/haystack.ts";
import { KvError, type Model } from "../../src/index.ts";
import { textOf } from "./text-file.ts";

/**
 * Up to `count` sequences of `length` tokens; of a short file fewer, and the last one shorter.
 *
 * @throws KvError `tokenizer_missing`, `invalid_option` for a file that cannot be read
 */
export async function corpus(
  { tokenizer, id }: Model,
  path: string | undefined,
  count: number,
  length: number,
): Promise<readonly Int32Array[]> {
  if (tokenizer === null)
    throw new KvError({ code: "tokenizer_missing", path: ["model"], found: id, allowed: "a model with a tokenizer" });
  if (path === undefined) return stretches(tokenizer, count, length);
  const tokens = tokenizer.encode(await textOf(path, "--corpus"));
  const sequences = Math.min(count, Math.ceil(tokens.length / length));
  return Array.from({ length: sequences }, (_, i) => tokens.subarray(i * length, (i + 1) * length));
}
