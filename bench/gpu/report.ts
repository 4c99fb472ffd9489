/** What a run found, as a table for people and as one value for programs. */
import dawn from "webgpu/package.json" with { type: "json" };
import type { Precision } from "../../src/engine/index.ts";
import type { Gpu } from "../../src/gpu/index.ts";
import { version } from "../../src/version.ts";
import type { Lab } from "./lab.ts";
import type { Line } from "./line.ts";
import type { StoredAs } from "./random-weights.ts";
import type { Scale } from "./scale.ts";

/** A row's lines, or what went wrong with it. */
export type Measured =
  | { readonly row: string; readonly lines: readonly Line[]; readonly seconds: number }
  | { readonly row: string; readonly fault: string; readonly seconds: number };

export interface Report {
  readonly at: string;
  readonly device: Pick<Gpu, "name" | "software" | "features">;
  readonly scale: Scale;
  readonly stored: StoredAs;
  readonly precision: Precision;
  readonly versions: Readonly<Record<string, string>>;
  /** Whether speed is held against the goals: on a real device, at the sizes that they speak of. */
  readonly judged: boolean;
  readonly rows: readonly Measured[];
}

export function reportOf(
  { gpu, scale, stored, precision }: Pick<Lab, "gpu" | "scale" | "stored" | "precision">,
  rows: readonly Measured[],
): Report {
  const { name, software, features } = gpu;
  const runtime = process.versions.bun === undefined ? "node" : "bun";
  return {
    at: new Date().toISOString(),
    device: { name, software, features },
    scale,
    stored,
    precision,
    versions: { pyramidkv: version, [runtime]: process.versions[runtime] ?? "", webgpu: dawn.version },
    judged: !software && scale.name === "full" && stored === "Q4_0",
    rows,
  };
}

export function table(report: Report): string {
  return [
    ...heading(report),
    "",
    "| what | measured | limit, in this run | figure | goal | |",
    "|---|---|---|---|---|---|",
    ...report.rows.flatMap((row) =>
      "fault" in row
        ? [columns(row.row, `failed: ${row.fault}`, "", "", "", "**failed**")]
        : row.lines.map((line) =>
            columns(line.what, line.measured, line.limit, line.figure, line.goal?.text ?? "", verdict(line, report)),
          ),
    ),
  ].join("\n");
}

function heading({ at, device, scale, stored, precision, versions, judged }: Report): readonly string[] {
  const { config, name, prompt } = scale;
  const sizes = `${config.layers} layers in ${stored} at ${precision}, hidden ${config.hiddenSize}, a prompt of ${prompt} tokens`;
  const clock = device.features.timestamps ? "the device's clock" : "the processor's clock around submissions";
  const made = Object.entries(versions).map(([what, number]) => `${what} ${number}`);
  const said = device.software
    ? ["", "**A processor stands in for the GPU: this shows that it runs, and says nothing of speed.**"]
    : judged
      ? []
      : ["", "Other sizes or weights than those that the goals speak of: speed is not held against them."];
  return [
    `Measured ${at.slice(0, 16)}Z on ${device.name}, ${made.join(", ")}; scale ${name}: ${sizes}; kernels by ${clock}.`,
    ...said,
  ];
}

export function verdict({ goal }: Line, { judged }: Pick<Report, "judged">): string {
  if (goal === null) return "";
  if (!judged && goal.anywhere !== true) return "not applicable";
  return goal.met ? "met" : "**not met**";
}

/** What stands in a table stands on one line. */
const columns = (...texts: readonly string[]): string =>
  `| ${texts.map((text) => text.replace(/\s+/g, " ").replaceAll("|", "\\|")).join(" | ")} |`;
