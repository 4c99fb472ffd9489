/** Every task that is generated from a seed, by name. A task listed here is held to the laws in test/evaluate/tasks. */
import type { TaskFactory } from "../task.ts";
import { fewShot } from "./few-shot.ts";
import { multiDocQa } from "./multi-doc-qa/index.ts";
import { needle, needleMultiKey, needleMultiQuery, needleMultiValue, needleSentence } from "./needle/index.ts";
import { rulerTasks } from "./ruler/index.ts";

export const generatedTasks: Readonly<Record<string, TaskFactory>> = {
  needle,
  "needle-sentence": needleSentence,
  "needle-multi-key": needleMultiKey,
  "needle-multi-value": needleMultiValue,
  "needle-multi-query": needleMultiQuery,
  "few-shot": fewShot,
  "multi-doc-qa": multiDocQa,
  ...rulerTasks,
};
