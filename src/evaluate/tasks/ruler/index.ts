/**
 * RULER's 13 tasks (https://arxiv.org/abs/2404.06654, https://github.com/NVIDIA/RULER), generated at any length with its templates, answer
 * prefixes, tokens to generate and metrics.
 *
 * Where they differ from RULER's: random numbers are ours; every example is as long as it can be, where RULER finds one size
 * for all; essays are the beginning of Moby-Dick, in place of Paul Graham's, which are not ours to hand out (the option `haystack` takes
 * a file of them); words are faker's in place of wonderwords; names of one chain are never the same; and a file of questions that
 * is too small for the length makes shorter prompts, where RULER repeats its documents.
 */
import type { TaskFactory } from "../../task.ts";
import { commonWords } from "./common-words.ts";
import { frequentWords } from "./frequent-words.ts";
import { niahTasks } from "./niah.ts";
import { qa1, qa2 } from "./qa.ts";
import { variableTracking } from "./variable-tracking.ts";

const tasks = { ...niahTasks, vt: variableTracking, cwe: commonWords, fwe: frequentWords, qa_1: qa1, qa_2: qa2 };

export const rulerTasks: Readonly<Record<string, TaskFactory>> = Object.fromEntries(
  Object.entries(tasks).map(([name, task]) => [`ruler/${name}`, task]),
);
