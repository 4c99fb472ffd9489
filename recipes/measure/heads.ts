/** How much each head retrieves, on needles in Moby-Dick. */
import { needle } from "../../src/evaluate/index.ts";
import { type HeadScores, KvError, type Model, measureHeads, type Retrieval } from "../../src/index.ts";
import type { Measurement } from "./measurement.ts";

const LENGTHS = [500, 1000];
const SEED = 1729; // not one that evaluations begin with

export const heads: Measurement = {
  explained: "how much each KV head retrieves, for headKV and duoAttention",
  async measure(model, { prompts }, options) {
    const settings = { task: "needle", lengths: LENGTHS.join(), prompts, seed: SEED };
    const measured = await measureHeads(model, await retrievals(model, prompts), { ...options, settings });
    return { measured, found: most(measured) };
  },
};

/** Needles at depths from beginning to end, of both lengths in turn. */
async function retrievals({ tokenizer, config }: Model, count: number): Promise<readonly Retrieval[]> {
  if (tokenizer === null)
    throw new KvError({ code: "tokenizer_missing", path: ["model"], found: "no tokenizer", allowed: "one with" });
  const depths = Math.ceil(count / LENGTHS.length);
  const found: Retrieval[] = [];
  const reader = { tokenizer, contextLength: config.contextLength, seed: SEED };
  for await (const { prompt, answers } of needle({ lengths: LENGTHS, depths }).examples(reader)) {
    const [answer = ""] = answers;
    const text = String(prompt);
    const stem = text.slice(text.lastIndexOf("Answer: ") + "Answer: ".length);
    found.push({ prompt: text, answer, fact: `${stem} ${answer}.` });
  }
  return found.slice(0, count);
}

function most({ values }: HeadScores): string {
  const all = values.flatMap((own, layer) => own.map((score, head) => ({ name: `${layer}.${head}`, score })));
  const best = all.toSorted((a, b) => b.score - a.score).slice(0, 5);
  return `most: ${best.map(({ name, score }) => `head ${name} ${score.toFixed(2)}`).join(", ")} (layer.head)`;
}
