/** A page of markdown about one method or policy. */
import type { FactoryDoc, OptionDoc } from "./docstring.ts";
import { distinct, figure, type MeasuredFile, provenanceLine } from "./measured.ts";

/** What every page has, in this order. */
export const SECTIONS = [
  ["formula", "Formula"],
  ["cost", "Cost"],
  ["memory", "Memory"],
  ["helps", "When it helps"],
] as const;

export interface PageOf {
  readonly doc: FactoryDoc;
  /** What the factory records when nothing but what is required is given: its defaults. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** null where measurements are not of its kind. */
  readonly measured: MeasuredFile | null;
}

export function page({ doc, defaults, measured }: PageOf): string {
  const parts = [`# ${doc.exported}`, doc.summary];
  for (const [tag, title] of SECTIONS) {
    const text = doc.tags.get(tag);
    if (text !== undefined)
      parts.push(`## ${title}`, tag === "formula" ? `\`\`\`text\n${text}\n\`\`\`` : oneLine(text));
  }
  if (doc.options.length > 0) parts.push("## Options", optionsTable(doc.options, defaults));
  const accuracy = measured && accuracyTable(doc.name, measured);
  if (measured !== null && accuracy !== null) parts.push("## Measured accuracy", accuracy, provenanceLine(measured));
  const papers = (doc.tags.get("see") ?? "").split("\n").filter((line) => line !== "");
  if (papers.length > 0) parts.push("## See", papers.map((paper) => `- ${paper}`).join("\n"));
  return `${parts.join("\n\n")}\n`;
}

function optionsTable(options: readonly OptionDoc[], defaults: PageOf["defaults"]): string {
  const rows = options.map(({ name, required, meaning }) => {
    const value = required ? "required" : defaults[name] === undefined ? "" : `\`${shownDefault(defaults[name])}\``;
    return `| \`${name}\` | ${value} | ${cell(meaning)} |`;
  });
  return ["| option | default | meaning |", "|---|---|---|", ...rows].join("\n");
}

/** As docstrings say it: numbers to four digits, and in quotes what would not be seen. */
export function shownDefault(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  return typeof value === "string" && value.trim() === "" ? JSON.stringify(value) : String(value);
}

/** null where nothing was measured of it. */
function accuracyTable(method: string, { rows }: MeasuredFile): string | null {
  const own = rows.filter((row) => row.method === method);
  if (own.length === 0) return null;
  const tasks = distinct(own.map(({ task }) => task));
  const head = tasks.map((task) => `${task} (n = ${own.find((row) => row.task === task)?.n})`);
  const lines = distinct(own.map(({ budget }) => budget)).map((budget) => {
    const figures = tasks.map((task) => own.find((row) => row.task === task && row.budget === budget));
    return `| ${[budget, ...figures.map((row) => (row === undefined ? "" : figure(row)))].join(" | ")} |`;
  });
  return [`| budget | ${head.join(" | ")} |`, `|---${"|---".repeat(tasks.length)}|`, ...lines].join("\n");
}

const oneLine = (text: string) => text.replace(/\s+/g, " ");
const cell = (text: string) => text.replaceAll("|", "\\|");
