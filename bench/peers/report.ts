/** The table as Markdown, with the machine and the versions it was measured on. */
import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { type PeerName, type Peers, TITLES } from "./installed.ts";
import type { Row } from "./row.ts";

export function report(rows: readonly Row[], peers: Peers, threads: number, repeat: number): string {
  const flags =
    /^flags\s*:(.*)$/m.exec(cpuInfo())?.[1]?.match(/\b(avx2|avx512f|avx512_vnni|avx512_bf16|avx_vnni|amx_int8)\b/g) ??
    [];
  const [cpu] = cpus();
  const names = Object.keys(TITLES) as PeerName[];
  return [
    `Measured ${new Date().toISOString().slice(0, 16)}Z on ${cpu?.model ?? "an unknown CPU"}, ${cpus().length} cores ` +
      `(${flags.join(", ")}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}; ${threads} threads each, ${repeat} rounds.`,
    "",
    ...names.map(
      (name) =>
        `- ${TITLES[name]}: ${peers.workers.get(name)?.versions ?? `absent (${peers.absent.get(name) ?? "not asked for"})`}`,
    ),
    "",
    "| what | ours: median (min-max) | peer: median (min-max) | figure | of the limit | goal | | others |",
    "|---|---|---|---|---|---|---|---|",
    ...rows.map(
      (row) =>
        `| ${[row.what, row.ours, row.peer, row.figure, row.limit, row.goal, row.met, row.others].join(" | ")} |`,
    ),
  ].join("\n");
}

/** Puts the table between the marks of a Markdown file. */
export async function writeTable(text: string, file = join(import.meta.dir, "../README.md")): Promise<void> {
  const [start, end] = ["<!-- table -->", "<!-- /table -->"];
  const [before = "", rest = ""] = (await Bun.file(file).text()).split(start);
  const [, after = ""] = rest.split(end);
  await Bun.write(file, `${before}${start}\n${text}\n${end}${after}`);
}

function cpuInfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
}
