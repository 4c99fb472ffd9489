/**
 * The SDK in one run: a document too long to keep, one prefill, six methods at several budgets, one table.
 *
 * The prompt is prefilled without its last token, and that token is decoded on each compressed cache, so that every token of
 * an answer, the first included, had to be found in what was kept.
 */
import {
  type Context,
  compress,
  full,
  generate,
  h2o,
  KvError,
  loadModel,
  type Method,
  type Model,
  prefill,
  pyramidKV,
  snapKV,
  step,
  streamingLLM,
  type Tokenizer,
  window,
} from "../src/index.ts";
import { parse, USAGE } from "./quickstart/args.ts";
import { needleInMobyDick } from "./quickstart/document.ts";
import { jsonLine, type Row, table } from "./quickstart/report.ts";
import { command } from "./support/command.ts";
import { progressLine } from "./support/progress-line.ts";

const PROMPT_TOKENS = 4000;
const ANSWER_TOKENS = 12;

async function main(argv: readonly string[]): Promise<void> {
  const args = parse(argv);
  if (args.help) return console.log(USAGE);
  const methods = [
    full(),
    ...args.budgets.flatMap((budget) => [window, streamingLLM, h2o, snapKV, pyramidKV].map((make) => make({ budget }))),
  ];
  using progress = progressLine();
  progress.show("loading the model");
  using model = await loadModel(args.model);
  if (model.tokenizer === null)
    throw new KvError({
      code: "tokenizer_missing",
      path: ["--model"],
      found: model.id,
      allowed: "a model with a tokenizer",
    });
  const task =
    args.prompt === null ? needleInMobyDick(model.tokenizer, PROMPT_TOKENS) : { prompt: args.prompt, expected: null };
  const tokens = promptTokens(model.tokenizer, task.prompt, model.config.contextLength);
  const started = performance.now();
  using context = await prefill(model, tokens.subarray(0, -1), {
    observe: methods,
    onProgress: (done, total) => progress.show(`prefill ${done} of ${total} tokens`),
  });
  const prefillSeconds = (performance.now() - started) / 1000;
  const rows: Row[] = [];
  let expected = task.expected;
  for (const [i, method] of methods.entries()) {
    progress.show(`${method.name} ${i + 1} of ${methods.length}`);
    const row = await measure(model, context, method, tokens.at(-1) ?? 0, expected);
    expected ??= row.answer;
    rows.push(row);
    if (args.json) console.log(jsonLine(row));
  }
  const summary = {
    promptTokens: tokens.length,
    prefillTokensPerSecond: context.length / prefillSeconds,
    peakMiB: process.resourceUsage().maxRSS / 1024,
    provenance: await model.provenance(),
  };
  progress.clear();
  console.log(args.json ? jsonLine(summary) : table(rows, summary));
}

function promptTokens(tokenizer: Tokenizer, prompt: string, most: number): Int32Array {
  const tokens = tokenizer.encode(prompt);
  if (tokens.length >= 2 && tokens.length <= most) return tokens;
  throw new KvError({
    code: tokens.length < 2 ? "empty_prompt" : "prompt_too_long",
    path: ["--prompt"],
    found: `of length ${tokens.length}`,
    allowed: `2 to ${most} tokens long`,
  });
}

async function measure(
  model: Model,
  context: Context,
  method: Method,
  lastToken: number,
  expected: string | null,
): Promise<Row> {
  const started = performance.now();
  using cache = await compress(context, method);
  const compressed = performance.now();
  const { bytes } = cache;
  const entries = cache.lengths.flat().reduce((sum, length) => sum + length, 0);
  const decoding = performance.now();
  await step(model, cache, lastToken); // counts: generating k tokens takes the k logits that k steps give
  const { text, tokens } = await generate(model, cache, { maxNewTokens: ANSWER_TOKENS, stopStrings: ["\n"] });
  const seconds = (performance.now() - decoding) / 1000;
  const answer = text.trim();
  return {
    method: method.name,
    budget: Number.isFinite(method.budget) ? method.budget : null,
    answer,
    // An empty answer is only like an empty answer: every text begins with it.
    right: expected === null || (expected === "" ? answer === "" : answer.startsWith(expected)),
    entries,
    bytes,
    share: bytes / context.cache.bytes,
    compressMs: compressed - started,
    decodeTokensPerSecond: tokens.length / seconds,
  };
}

await command("quickstart", () => main(process.argv.slice(2)));
