/** The page that holds all methods against each other. */
import { distinct, type MeasuredFile, type MeasuredRow, provenanceLine } from "./measured.ts";

/** What answers with all of the cache, or knows the answer: shown, but no contender. */
const REFERENCES = ["full", "oracle"];

const INTRODUCTION = `# Comparison

Accuracy of every registered method on three generated tasks: a number hidden in 500 and 1,000 tokens of Moby-Dick, and questions to classify after
examples of 500 tokens. The prompt's last token is decoded on what was kept. In brackets the 95 % interval; the best of a column, references aside, in
bold. Where intervals overlap, order is no finding. What headkv and duoattention know of heads was measured on needles of other seeds, and lukv on
Moby-Dick: on needles they are at home.`;

/** One table: a row for each method, a column for each task and budget. */
export function comparison(measured: MeasuredFile): string {
  const { rows } = measured;
  const tasks = distinct(rows.map(({ task }) => task));
  const budgets = distinct(rows.map(({ budget }) => budget)).filter((budget) => budget !== "all");
  const columns = tasks.flatMap((task) => budgets.map((budget) => ({ task, budget })));
  const at = (method: string, { task, budget }: (typeof columns)[number]) =>
    rows.find((row) => row.method === method && row.task === task && (row.budget === budget || row.budget === "all"));
  const methods = distinct(rows.map(({ method }) => method));
  const ordered = [...methods.filter(isReference), ...methods.filter((method) => !isReference(method))];
  const best = columns.map((column) =>
    Math.max(...methods.filter((method) => !isReference(method)).map((method) => at(method, column)?.mean ?? 0)),
  );
  const lines = ordered.map((method) => {
    const cells = columns.map((column, i) => {
      const row = at(method, column);
      return row === undefined ? "" : shown(row, !isReference(method) && row.mean === best[i]);
    });
    return `| ${[isReference(method) ? method : `[${method}](methods/${method}.md)`, ...cells].join(" | ")} |`;
  });
  const counts = tasks.map((task) => `${task}: ${rows.find((row) => row.task === task)?.n} examples`);
  const head = columns.map(({ task, budget }) => `${task}, ${budget}`);
  const table = [`| method | ${head.join(" | ")} |`, `|---${"|---".repeat(head.length)}|`, ...lines];
  return `${[INTRODUCTION, table.join("\n"), `${counts.join("; ")}. ${provenanceLine(measured)}`].join("\n\n")}\n`;
}

const isReference = (method: string) => REFERENCES.includes(method);

function shown({ mean, low, high }: MeasuredRow, best: boolean): string {
  const value = mean.toFixed(2);
  return `${best ? `**${value}**` : value} (${low.toFixed(2)}-${high.toFixed(2)})`;
}
