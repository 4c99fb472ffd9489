/** The whole measurement: the hardware's limit, then part by part, each peer in its turn. */
import { type Installations, startPeers } from "./installed.ts";
import { measureLimit } from "./limit.ts";
import { Bench } from "./measure.ts";
import { memoryRows, smallRows, sweepRows } from "./other-rows.ts";
import { promptRows } from "./prompt-rows.ts";
import { report } from "./report.ts";
import type { Row } from "./row.ts";
import type { Sizes } from "./sizes.ts";

export interface RunOptions {
  /** "memory", "small", "sweep", or the length of a prompt. */
  readonly parts: readonly string[];
  readonly sizes: Sizes;
  readonly repeat: number;
  readonly threads: number;
  /** Seconds spent, over the whole run, on waiting for a quiet machine and on asking again. */
  readonly patience: number;
  readonly without: readonly string[];
  /** Of ours; default: the default model. */
  readonly model?: string;
  readonly installations?: Installations;
  /** Told every sample, and the table so far after each part, so that an interrupted run has said what it knew. */
  readonly log: (text: string) => void;
}

export interface Outcome {
  readonly rows: readonly Row[];
  readonly text: string;
}

export async function run(options: RunOptions): Promise<Outcome> {
  const { parts, sizes, repeat, threads, patience, model, log } = options;
  await using peers = await startPeers(options);
  const measured = await measureLimit(model, threads, sizes, patience / 4);
  const bench = new Bench(peers, patience, measured.limit, log);
  // Allocators grow once; nobody's first run is timed.
  if (parts.some((part) => part !== "memory")) {
    const length = Math.min(512, sizes.short);
    await bench.everyone({ op: "prefill", length, method: "full", budget: length, hold: "warm" });
  }
  await bench.everyone({ op: "drop" });
  const rows: Row[] = [measured.row];
  for (const part of parts) {
    if (part === "memory") rows.push(...(await memoryRows(model, threads, sizes, repeat)));
    else if (part === "small") rows.push(...(await smallRows(bench, sizes, repeat)));
    else if (part === "sweep") rows.push(...(await sweepRows(bench, sizes, repeat)));
    else rows.push(...(await promptRows(bench, sizes, Number(part), repeat)));
    log(report(rows, peers, threads, repeat));
  }
  return { rows, text: report(rows, peers, threads, repeat) };
}
