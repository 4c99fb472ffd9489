/** The hardware's limit, and how much of it a row of ours reaches. */
import { limitCommand } from "./installed.ts";
import { quiet } from "./load.ts";
import { percent, type Row } from "./row.ts";
import type { Sizes } from "./sizes.ts";
import { median, part, wall } from "./statistics.ts";
import { type Sample, start } from "./worker.ts";

/** What this machine does at most, in a second. */
export interface Limit {
  /** Floating-point operations of fp32 matrix products. */
  readonly flops: number;
  /** Bytes of weights read. */
  readonly bandwidth: number;
}

/** Measures it in a process of its own; waits `patience` seconds for a quiet machine. */
export async function measureLimit(
  model: string | undefined,
  threads: number,
  { limit }: Pick<Sizes, "limit">,
  patience: number,
): Promise<{ readonly limit: Limit; readonly row: Row }> {
  await using worker = await start(limitCommand(model), threads);
  await quiet(patience);
  const { parts, others } = await worker.ask({ op: "limit", ...limit });
  const { flops = Number.NaN, slowestFlops = Number.NaN, bandwidth = Number.NaN } = parts;
  const row = {
    what: "the hardware's limit: fp32 products of the layers' shapes, and weights read, through onnxruntime",
    ours: `${gigaflops(flops)} (${gigaflops(slowestFlops)} at the slowest shape), ${gigabytes(bandwidth)}`,
    peer: "",
    figure: "",
    limit: "100 %",
    goal: "",
    met: "",
    others: percent(others),
  };
  return { limit: { flops, bandwidth }, row };
}

const gigaflops = (rate: number) => `${(rate / 1e9).toFixed(0)} GFLOP/s`;
const gigabytes = (rate: number) => `${(rate / 1e9).toFixed(1)} GB/s`;

/** Operations or bytes of our samples, which their worker counted, a second, as a share of the limit. */
export function ofLimit(samples: readonly Sample[], kind: keyof Limit, limit: Limit | null): string {
  if (limit === null || samples.length === 0) return "";
  const rate = median(part(samples, kind === "flops" ? "flops" : "bytes")) / median(wall(samples));
  return `${percent(rate / limit[kind])} (${kind === "flops" ? gigaflops(rate) : gigabytes(rate)})`;
}
