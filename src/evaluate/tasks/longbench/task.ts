/** A data set of LongBench or LongBench-E as a task. */
import { z } from "zod";
import { metrics } from "../../metrics/index.ts";
import { defineTask, type Example } from "../../task.ts";
import { bandOf, type Dataset } from "./datasets.ts";
import { promptTokens, roomFor } from "./fit.ts";
import { faultsTo, optionsWith } from "./options.ts";
import { linesOf } from "./pieces.ts";
import { recordsOf } from "./records.ts";
import { openData } from "./source.ts";

export interface LongBenchExample extends Example {
  /** All labels there are; empty where the data set has none. */
  readonly classes: readonly string[];
}

const recordSchema = z.object({
  _id: z.string().min(1),
  input: z.string(),
  context: z.string(),
  answers: z.array(z.string()).min(1),
  /** In words. */
  length: z.number().min(0),
  all_classes: z.array(z.string()).nullable(),
});

/**
 * @param name the task's
 * @param file of the data set, without ".jsonl"; also the facet `dataset`
 * @param banded whether examples have the facet `length`: LongBench-E's bands
 */
export const longBenchTask = (name: string, file: string, dataset: Dataset, banded: boolean) =>
  defineTask<typeof options, LongBenchExample>(name, options, (given) => ({
    maxNewTokens: dataset.maxNewTokens,
    minNewTokens: dataset.minNewTokens,
    stop: dataset.stop,
    async *examples(reader) {
      const room = roomFor(name, given.maxLength, dataset.maxNewTokens, reader);
      const { path, chunks } = await openData(name, given, `${file}.jsonl`, "data.zip");
      const records = recordsOf(path, linesOf(chunks), recordSchema, faultsTo(given.onMalformed, reader));
      let made = 0;
      for await (const { _id, input, context, answers, length, all_classes } of records) {
        const text = dataset.prompt.replaceAll(/\{(context|input)\}/g, (_, part) =>
          part === "input" ? input : context,
        );
        yield {
          id: _id,
          prompt: promptTokens(name, text, reader.tokenizer, room, dataset.chat && given.chat),
          answers,
          facets: { dataset: file, ...(banded && { length: bandOf(length) }) },
          classes: all_classes ?? [],
        };
        if (++made === given.examples) return;
      }
    },
    score: (answer, { answers, classes }) =>
      metrics[dataset.metric](dataset.firstLine ? firstLine(answer) : answer, answers, classes),
  }));

const options = optionsWith("THUDM/LongBench");

const firstLine = (answer: string): string => answer.replace(/^\n+/, "").split("\n", 1).join("");
