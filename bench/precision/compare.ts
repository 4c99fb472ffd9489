/**
 * One model against another of the same configuration, such as the same weights in another precision: logits over real text, and
 * answers. Each model does all of its own work, selection included, as it would for a user.
 */
import { compress, type KvCache, type Method, type Model, prefill, step } from "../../src/index.ts";
import { ask, type Task } from "../evaluate/index.ts";
import { type Difference, Differences } from "./difference.ts";

export interface LogitsRow extends Difference {
  readonly kind: "logits";
  readonly what: string;
  /** Share of the kept entries that both keep; null where nothing was compressed. */
  readonly kept: number | null;
}

export interface AnswersRow {
  readonly kind: "answers";
  readonly task: string;
  readonly method: string;
  readonly examples: number;
  /** How many the reference and the other answer rightly. */
  readonly right: readonly [reference: number, other: number];
  /** Answers of which one is right and the other wrong; and that differ at all. */
  readonly flipped: number;
  readonly changed: number;
}

export type Row = LogitsRow | AnswersRow;

export interface CompareOptions {
  /** Stretches of text, as tokens. */
  readonly texts: readonly Int32Array[];
  /** Last tokens of each stretch that are decoded one by one, on caches of those before. */
  readonly decoded: number;
  readonly methods: readonly Method[];
  readonly tasks: readonly Task[];
  /** Called with how much more is done, out of `amountOf(options)`. */
  readonly onProgress?: (amount: number, text: string) => void;
}

const CHUNK = 512;

/** What `onProgress` adds up to. */
export const amountOf = ({ texts, tasks }: CompareOptions): number =>
  2 * texts.length + 2 * tasks.reduce((sum, { examples }) => sum + examples.length, 0);

/** The rows of a comparison, as they are ready. */
export async function* compare(reference: Model, other: Model, options: CompareOptions): AsyncGenerator<Row> {
  yield await overPrompts(reference, other, options);
  yield* overDecoding(reference, other, options);
  for (const task of options.tasks) yield* overAnswers(reference, other, task, options);
}

/** Every position of every stretch. */
async function overPrompts(reference: Model, other: Model, { texts, onProgress }: CompareOptions): Promise<Row> {
  const what = `prefill, ${texts.length} x ${texts[0]?.length ?? 0} tokens`;
  const differences = new Differences(reference.config.vocabSize);
  for (const tokens of texts) {
    const logitsOf = ({ engine }: Model) => engine.prefill({ tokens, chunk: CHUNK, lastQueries: 1, allLogits: true });
    differences.add((await logitsOf(reference)).logits, (await logitsOf(other)).logits);
    onProgress?.(1, what);
  }
  return { kind: "logits", what, kept: null, ...differences.summary() };
}

/** What follows each prompt, token by token as the text has it, on the caches that every method leaves. */
async function* overDecoding(
  reference: Model,
  other: Model,
  { texts, decoded, methods, onProgress }: CompareOptions,
): AsyncGenerator<Row> {
  const runs = methods.map((method) => ({
    method,
    differences: new Differences(reference.config.vocabSize),
    kept: [] as number[],
  }));
  for (const tokens of texts) {
    const [prompt, rest] = [tokens.subarray(0, -decoded), tokens.subarray(-decoded)];
    using ours = await prefill(reference, prompt, { observe: methods });
    using theirs = await prefill(other, prompt, { observe: methods });
    for (const { method, differences, kept } of runs) {
      using a = await compress(ours, method);
      using b = await compress(theirs, method);
      kept.push(overlap(a, b));
      for (const token of rest) differences.add(await step(reference, a, token), await step(other, b, token));
    }
    onProgress?.(1, "decoding");
  }
  const length = (texts[0]?.length ?? 0) - decoded;
  for (const { method, differences, kept } of runs) {
    const whole = method.budget >= length;
    yield {
      kind: "logits",
      what: `decode, ${texts.length} x ${decoded} tokens after ${length}, ${titleOf(method)}`,
      kept: whole ? null : kept.reduce((sum, share) => sum + share, 0) / kept.length,
      ...differences.summary(),
    };
  }
}

const titleOf = ({ name, budget }: Method) => (Number.isFinite(budget) ? `${name} ${budget}` : name);

/** Share of a's entries that b holds too, over all layers and KV heads. */
function overlap(a: KvCache, b: KvCache): number {
  const { layers, kvHeads } = a.geometry;
  let [common, all] = [0, 0];
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < kvHeads; head++) {
      const kept = new Set(b.positions(layer, head));
      const positions = a.positions(layer, head);
      common += positions.filter((position) => kept.has(position)).length;
      all += positions.length;
    }
  }
  return common / all;
}

async function* overAnswers(
  reference: Model,
  other: Model,
  { name, examples }: Task,
  { methods, onProgress }: CompareOptions,
): AsyncGenerator<Row> {
  const onAnswered = (count: number) => onProgress?.(count, name);
  const ours = await ask(reference, examples, methods, { onAnswered });
  const theirs = await ask(other, examples, methods, { onAnswered });
  for (const method of methods) {
    const pairs = ours.flatMap((a, i) => {
      const b = theirs[i];
      return a.method === method && b !== undefined ? [[a, b] as const] : [];
    });
    const count = (test: (pair: (typeof pairs)[number]) => boolean) => pairs.filter(test).length;
    yield {
      kind: "answers",
      task: name,
      method: titleOf(method),
      examples: pairs.length,
      right: [count(([a]) => a.right), count(([, b]) => b.right)],
      flipped: count(([a, b]) => a.right !== b.right),
      changed: count(([a, b]) => a.text !== b.text),
    };
  }
}
