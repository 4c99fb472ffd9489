/** Tasks that are made from a seed, and those that read published files. */
export { fewShot } from "./few-shot.ts";
export { taskFromText } from "./from-text.ts";
export * from "./longbench/index.ts";
export { documentBounds, type MultiDocExample, multiDocQa } from "./multi-doc-qa/index.ts";
export { needle, needleMultiKey, needleMultiQuery, needleMultiValue, needleSentence } from "./needle/index.ts";
export { tasks } from "./registry.ts";
export { rulerTasks } from "./ruler/index.ts";
