/** What results were made with: models and their weights, engines, versions, seeds, options. */
import type { Result } from "../../evaluate/index.ts";
import type { Table } from "../page.ts";

/** Two tables: what ran, and what was asked for. None for no results. */
export function configuration(results: readonly Result[]): readonly Table[] {
  if (results.length === 0) return [];
  return [
    {
      columns: titled("model", "revision", "weights", "engine", "precision", "threads", "versions"),
      rows: runs(results),
    },
    asked(results),
  ];
}

const titled = (...names: readonly string[]) => names.map((name) => ({ name }));

const runs = (results: readonly Result[]) =>
  once(
    results.map(({ provenance: { model, revision, weights, engine, precision, threads, versions } }) => [
      model,
      revision ?? "none",
      weights,
      engine,
      precision,
      String(threads),
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    ]),
  );

function asked(results: readonly Result[]): Table {
  const tasks = results.map(({ task, taskOptions, seed }) => ["task", task, JSON.stringify(taskOptions), String(seed)]);
  const methods = results.map(({ method, methodOptions }) => ["method", method, JSON.stringify(methodOptions), ""]);
  return { columns: titled("kind", "name", "options", "seed"), rows: [...once(tasks), ...once(methods)] };
}

/** Each different row once. */
const once = (rows: readonly (readonly string[])[]): readonly (readonly string[])[] => [
  ...new Map(rows.map((row) => [JSON.stringify(row), row])).values(),
];
