/**
 * Compress once, ask many: a document is prefilled and compressed before anyone knows the questions, each of which is then
 * answered on a fork of the compressed cache. The cache can be saved, and asked again by a later run.
 */
import { createInterface } from "node:readline";
import { extend, generate, type KvCache, KvError, loadModel, type Model } from "../src/index.ts";
import { type Asked, compressed, contextOptions } from "./ask/context.ts";
import { args, command, integer } from "./support/command.ts";
import { progressLine } from "./support/progress-line.ts";

const HELP = `bun run ask FILE [QUESTION ...] [options]
bun run ask --load CACHE [QUESTION ...] [options]

Compresses a document once and answers questions about it, those of the command line or else one for each line of stdin.

  --method NAME      what is kept of the document (default: keydiff, which needs no question to score by)
  --budget N         entries kept per KV head on average (default: 256)
  --save CACHE       writes the compressed document as a file for --load
  --load CACHE       asks a file that --save wrote, in place of a document
  --tokens N         of an answer, at most (default: 32)
  --model REF        a folder, a .gguf file or a Hub id (default: SmolLM2-135M-Instruct)
  --json             one JSON object per line
  --help             this text`;

await command("ask", async () => {
  const { values, positionals } = args(
    {
      method: { type: "string" },
      budget: { type: "string" },
      save: { type: "string" },
      load: { type: "string" },
      tokens: { type: "string", default: "32" },
      model: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
    true,
  );
  if (values.help) return console.log(HELP);
  const maxNewTokens = integer("--tokens", values.tokens);
  const { questions, source } = contextOptions(values, positionals);
  using progress = progressLine();
  progress.show("loading the model");
  using model = await loadModel(values.model);
  using context = await compressed(model, source, progress);
  progress.clear();
  print(values.json, context.about, context.line);
  for await (const question of questions.length > 0 ? questions : lines()) {
    const answer = await answerTo(model, context.cache, question, maxNewTokens);
    if (answer !== null) print(values.json, { question, answer }, `\n${question}\n${answer}`);
  }
});

function print(json: boolean, row: Asked["about"] | { question: string; answer: string }, text: string): void {
  console.log(json ? JSON.stringify(row) : text);
}

/** What stdin asks, line by line. */
async function* lines(): AsyncGenerator<string> {
  for await (const line of createInterface({ input: process.stdin })) if (line.trim() !== "") yield line.trim();
}

/** The answer, on a cache of its own; null where the question itself is at fault, which is told and ends nothing. */
async function answerTo(
  model: Model,
  context: KvCache,
  question: string,
  maxNewTokens: number,
): Promise<string | null> {
  using cache = context.fork();
  try {
    await extend(model, cache, `\n\nQuestion: ${question}\nAnswer:`);
    return (await generate(model, cache, { maxNewTokens, stopStrings: ["\nQuestion:"] })).text.trim();
  } catch (fault) {
    if (!(fault instanceof KvError)) throw fault;
    console.error(`ask: ${fault.message}`);
    process.exitCode = 1;
    return null;
  }
}
