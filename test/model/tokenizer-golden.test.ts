/** SmolLM2's own tokenizer, as its GGUF has it, against Hugging Face's original in 43 strings and 3 conversations. */

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { openModel } from "../../src/model/open.ts";
import { streamDecoder } from "../../src/model/tokenizer/stream.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { goldenGguf } from "../support/golden-model.ts";

const ids = z.array(z.int());
const Golden = z.object({
  strings: z.array(z.object({ text: z.string(), ids, decoded: z.string() })).length(43),
  chats: z
    .array(
      z.object({ messages: z.array(z.object({ role: z.string(), content: z.string() })), rendered: z.string(), ids }),
    )
    .length(3),
});

const path = await goldenGguf();
if (path !== null) {
  const golden = Golden.parse(
    JSON.parse(readFileSync(join(import.meta.dir, "../fixtures/smollm2/tokenizer-golden.json"), "utf8")),
  );
  using model = await openModel(path);
  const { tokenizer, config } = model;
  if (!tokenizer) throw new Error("the GGUF has no tokenizer");

  test("the config is SmolLM2-135M's", () => {
    expect(config).toMatchObject({
      layers: 30,
      hiddenSize: 576,
      queryHeads: 9,
      kvHeads: 3,
      headDim: 64,
      vocabSize: 49152,
    });
    expect(config).toMatchObject({ contextLength: 8192, tiedEmbeddings: true, bosToken: 1, eosTokens: [2] });
    expect(config.rope).toEqual({ theta: 100_000, scaling: null });
  });

  describe("tokens, text and stream agree with the golden", () => {
    const named = golden.strings.map((string) => [JSON.stringify(string.text), string] as const);
    test.each(named)("%s", (_name, { text, ids, decoded }) => {
      expect([...tokenizer.encode(text)]).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
      const stream = streamDecoder(tokenizer);
      expect([...ids.map((id) => stream.push(id)), stream.end()].join("")).toBe(decoded);
    });
  });

  test.each(golden.chats)("a conversation is rendered and encoded as in the golden", ({ messages, rendered, ids }) => {
    expect(tokenizer.chat(messages)).toBe(rendered);
    expect([...tokenizer.encode(rendered)]).toEqual(ids);
  });

  test("30,000 characters of prose take well under a second", () => {
    const text = golden.strings
      .map(({ text }) => text)
      .join(" and ")
      .repeat(100)
      .slice(0, 30_000);
    const started = cpuTime();
    expect(tokenizer.decode(tokenizer.encode(text)).length).toBe(text.toWellFormed().length);
    expect(cpuTime() - started).toBeLessThan(1000);
  });
}
