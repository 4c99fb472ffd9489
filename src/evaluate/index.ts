/**
 * Evaluation: what methods cost in answers. A task has examples and a metric; `sweep` asks every method at every budget after one prefill
 * per example; a store keeps the results; statistics say how far to trust them.
 */
export { type Draws, draws } from "./draws.ts";
export { type Fidelity, type FidelityOptions, fidelities } from "./fidelity.ts";
export * from "./metrics/index.ts";
export * from "./queue/index.ts";
export type { Result } from "./result.ts";
export { type Comparison, type Contender, compare } from "./statistics/compare.ts";
export type { ResamplingOptions } from "./statistics/options.ts";
export { type SummariseOptions, summarise } from "./statistics/summarise.ts";
export { SMALL, type Summary } from "./statistics/summary.ts";
export { openStore } from "./store/index.ts";
export type { Store } from "./store/store.ts";
export { type Budget, parseBudget } from "./sweep/budget.ts";
export { type MethodAndPolicy, type SweepMethod, type SweepOptions, type SweepProgress, sweep } from "./sweep/index.ts";
export type { Job, Outcome } from "./sweep/job.ts";
export { type RunnerOptions, sweepRunner } from "./sweep/runner.ts";
export {
  defineTask,
  type Example,
  type Facets,
  type Plain,
  type Reader,
  type Stop,
  type Task,
  type TaskFactory,
} from "./task.ts";
export * from "./tasks/index.ts";
