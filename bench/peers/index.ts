/**
 * Our speed and memory beside the peers', in one run: turns taken, same machine, same threads, medians and extremes.
 *
 * Absent peers are said to be absent. README.md beside this file says how to install them; `--only small,sweep,memory,512`
 * picks parts, `--readme` writes the table into bench/README.md.
 */
import { parseArgs } from "node:util";
import { startPeers } from "./installed.ts";
import { Bench } from "./measure.ts";
import { memoryRows, smallRows, sweepRows } from "./other-rows.ts";
import { promptRows } from "./prompt-rows.ts";
import { report, writeReadme } from "./report.ts";
import type { Row } from "./row.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "memory,small,512,2048,sweep,8000" },
    repeat: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    /** Seconds spent, over the whole run, on waiting for a quiet machine and on asking again. */
    patience: { type: "string", default: "240" },
    /** Peers to leave out: q4_0, q4_1, kvpress. */
    without: { type: "string", default: "" },
    readme: { type: "boolean", default: false },
  },
});
const repeat = Number(values.repeat);
const threads = Number(values.threads);

const rows: Row[] = [];
const parts = values.only.split(",");
await using peers = await startPeers(threads, values.without.split(","));
const bench = new Bench(peers, Number(values.patience));
// Allocators grow once; nobody's first run is timed.
if (parts.some((part) => part !== "memory"))
  await bench.everyone({ op: "prefill", length: 512, method: "full", budget: 512, hold: "warm" });
await bench.everyone({ op: "drop" });
for (const part of parts) {
  if (part === "memory") rows.push(...(await memoryRows(threads, 8000, repeat)));
  else if (part === "small") rows.push(...(await smallRows(bench, repeat)));
  else if (part === "sweep") rows.push(...(await sweepRows(bench, repeat)));
  else rows.push(...(await promptRows(bench, Number(part), repeat)));
  // So that an interrupted run has told what it knew.
  console.error(report(rows, peers, threads, repeat));
}
const text = report(rows, peers, threads, repeat);
console.log(text);
if (values.readme) await writeReadme(text);
