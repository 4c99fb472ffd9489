/** How the quickstart shows its results: a table for people, JSON lines for programs, both with where they come from. */
import Table from "cli-table3";
import type { Provenance } from "../../src/index.ts";

export interface Row {
  readonly method: string;
  /** null: everything is kept. */
  readonly budget: number | null;
  readonly answer: string;
  readonly right: boolean;
  /** Entries kept of the prompt, over all layers and KV heads. */
  readonly entries: number;
  readonly bytes: number;
  /** Of the full cache's bytes. */
  readonly share: number;
  readonly compressMs: number;
  readonly decodeTokensPerSecond: number;
}

export interface Summary {
  readonly promptTokens: number;
  readonly prefillTokensPerSecond: number;
  /** Highest resident memory of the process so far. */
  readonly peakMiB: number;
  readonly provenance: Provenance;
}

const MIB = 2 ** 20;
const count = new Intl.NumberFormat("en-US");

export function table(
  rows: readonly Row[],
  { promptTokens, prefillTokensPerSecond, peakMiB, provenance }: Summary,
): string {
  const right = ["right"] as const;
  const view = new Table({
    head: ["method", "budget", "answer", "", "entries kept", "KV MiB", "of full", "compress ms", "decode tok/s"],
    colAligns: ["left", ...right, "left", "left", ...right, ...right, ...right, ...right, ...right],
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" }, // no lines between rows
  });
  for (const row of rows) {
    view.push([
      row.method,
      row.budget ?? "all",
      row.answer,
      row.right ? "right" : "wrong",
      count.format(row.entries),
      (row.bytes / MIB).toFixed(1),
      `${(100 * row.share).toFixed(1)} %`,
      row.compressMs.toFixed(0),
      row.decodeTokensPerSecond.toFixed(1),
    ]);
  }
  const versions = Object.entries(provenance.versions).map(([name, version]) => `${name} ${version}`);
  return [
    view.toString(),
    `prompt ${count.format(promptTokens)} tokens, prefill ${prefillTokensPerSecond.toFixed(0)} tok/s, peak memory ${peakMiB.toFixed(0)} MiB`,
    `${provenance.model}${provenance.revision === null ? "" : `@${provenance.revision}`}, weights ${provenance.weights}`,
    `${provenance.engine}, ${provenance.precision}, ${provenance.threads} threads, greedy, ${versions.join(", ")}`,
  ].join("\n");
}

/** One line a row, the summary last. */
export const jsonLine = (value: Row | Summary): string => JSON.stringify(value);
