/** What the tests of LongBench share: tokenizers whose tokens are characters, readers, and a task's examples as a list. */
import { join } from "node:path";
import type { Example, Reader, Task } from "../../../src/evaluate/index.ts";
import type { Tokenizer } from "../../../src/model/tokenizer/tokenizer.ts";

export const FIXTURES = join(import.meta.dir, "../../fixtures/longbench");

const OPENING = 1;

/** A token is a character, after one that begins every text; a conversation is the user's text in brackets. */
export const characters: Tokenizer = {
  encode: (text) => Int32Array.from([OPENING, ...Array.from(text, (character) => character.codePointAt(0) ?? 0)]),
  decode: (tokens, { skipSpecialTokens = false } = {}) =>
    Array.from(tokens)
      .filter((token) => !(skipSpecialTokens && token === OPENING))
      .map((token) => String.fromCodePoint(token))
      .join(""),
  chat: (messages) => messages.map(({ content }) => `<user>${content}<assistant>`).join(""),
};

export const TEMPLATE = characters.chat([{ role: "user", content: "" }]).length;

export const reader = (more: Partial<Reader> = {}): Reader => ({
  tokenizer: characters,
  contextLength: 100_000,
  seed: 0,
  ...more,
});

export async function examplesOf<Asked extends Example>(task: Task<Asked>, to = reader()): Promise<Asked[]> {
  return await Array.fromAsync(task.examples(to));
}

/** The text of an example's prompt. */
export const textOf = ({ prompt }: Example): string =>
  typeof prompt === "string" ? prompt : characters.decode(prompt, { skipSpecialTokens: true });
