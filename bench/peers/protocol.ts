/**
 * What a worker is asked and answers, one JSON value a line: each peer runs in a process of its own, so that CPU time and
 * memory are its own, and the runner can take turns.
 */
import { createInterface } from "node:readline";

/** Threads of everyone: the runner sets it for its workers. */
export const THREADS = Number(process.env.PYRAMIDKV_BENCH_THREADS ?? 2);
/** What the workers say besides answers (libraries print too) has no such prefix. */
export const ANSWER = "answer ";

export type MethodName = "full" | "window" | "streaming" | "h2o" | "snapkv" | "pyramidkv";
export const METHODS: readonly MethodName[] = ["full", "window", "streaming", "h2o", "snapkv", "pyramidkv"];

export type Request =
  /** Runs a prompt, compresses its cache, and holds what is left under a name. Ours: `compress` seconds, `flops` of the prefill. */
  | {
      readonly op: "prefill";
      readonly length: number;
      readonly method: MethodName;
      readonly budget: number;
      readonly hold: string;
    }
  /** Decodes on what is held. Ours: seconds `outside` the network, `bytes` of weights and cache that had to be read. */
  | { readonly op: "decode"; readonly held: string; readonly steps: number }
  /** All methods at all budgets on one prompt. */
  | { readonly op: "sweep"; readonly length: number; readonly budgets: readonly number[]; readonly steps: number }
  /** Lets go of everything held. */
  | { readonly op: "drop" }
  /** Bytes among the parts: the process's `peak` over one prefill, its `before`, `weights` and `cache`. */
  | { readonly op: "memory"; readonly length: number }
  /** What the hardware does at most: `flops` a second, `slowestFlops` of the worst shape, `bandwidth` in bytes a second. */
  | { readonly op: "limit"; readonly rows: number; readonly square: number; readonly tries: number };

export interface Answer {
  readonly seconds: number;
  /** CPU seconds of the whole process over the same time. */
  readonly cpu: number;
  readonly parts: Readonly<Record<string, number>>;
}

/** Tokens that the default model knows. */
const VOCABULARY = 49152;
/** Arbitrary but fixed tokens, the same for everyone; their meaning does not change the work. */
export const promptOf = (length: number, vocabulary = VOCABULARY): number[] =>
  Array.from({ length }, (_, i) => (i * 7919) % vocabulary);

export type Measured = Readonly<Record<string, number>>;

/** Wall and CPU seconds of some work, which may give figures of its own. */
export async function timed(work: () => Promise<Measured | undefined>): Promise<Answer> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const parts = await work();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpu: (user + system) / 1e6, parts: parts ?? {} };
}

/** Answers requests from stdin until it ends. The first line says that the worker is ready. */
export async function serve(versions: string, handle: (request: Request) => Promise<Answer>): Promise<void> {
  console.log(ANSWER + JSON.stringify(versions));
  for await (const line of createInterface({ input: process.stdin }))
    console.log(ANSWER + JSON.stringify(await handle(JSON.parse(line) as Request)));
}
