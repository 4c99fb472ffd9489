/** What people read of a store: by SQL, and in files for other programs. */
import { describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Result, Store } from "../../../src/evaluate/index.ts";
import { MEMORY, openDatabase } from "../../../src/evaluate/store/database.ts";
import { openStore } from "../../../src/evaluate/store/index.ts";
import { faultOf } from "../../support/fault.ts";
import { result } from "../../support/results.ts";
import { folder } from "./helpers.ts";

const results: readonly Result[] = [
  result({ key: "a", facets: { length: 500, "dep th": "top" }, score: 0.1 + 0.2, answer: 'say "x,\ny"\0é🦙' }),
  result({ key: "b", example: "1", facets: { length: 1000 }, score: 0, recall: [0.5, 1], outputError: [] }),
];

async function filled(): Promise<Store> {
  const store = await openStore();
  await store.append(results);
  return store;
}

describe("SQL", () => {
  test("has every field of a result as a column, as JavaScript knows it", async () => {
    await using store = await filled();
    expect(await store.query("FROM results ORDER BY key")).toEqual(results.map((it) => ({ ...it })));
  });

  test("groups by facets and counts in numbers", async () => {
    await using store = await filled();
    const sql = `SELECT (facets->>'length')::INT AS length, count(*) AS n, avg(score) AS mean, provenance->>'model' AS model,
      sum(promptTokens) AS tokens FROM results GROUP BY ALL ORDER BY length`;
    expect(await store.query(sql)).toEqual([
      { length: 500, n: 1, mean: 0.1 + 0.2, model: "random", tokens: 500 },
      { length: 1000, n: 1, mean: 0, model: "random", tokens: 500 },
    ]);
  });

  test.each([
    "DELETE FROM results",
    "DROP TABLE results",
    "INSERT INTO results SELECT * FROM results",
    "SELECT 1; DELETE FROM results",
    "EXPLAIN ANALYZE DELETE FROM results",
    "COPY results TO 'out.csv'",
    "COPY (SELECT 1) TO '/tmp/out.csv'",
    "EXPORT DATABASE 'out'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('package.json')",
    "FROM 'package.json'",
    "SELECT * FROM glob('/*')",
    "ATTACH ':memory:' AS other",
    "SET threads = 1",
    "PRAGMA enable_profiling",
    "INSTALL httpfs",
    "LOAD httpfs",
    "COMMIT",
    "BEGIN",
    "PREPARE p AS DELETE FROM results",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CHECKPOINT",
    "SELECT nothing",
    "SELECT $1",
    "SELEC",
    "",
    "-- nothing",
  ])("%p is refused, and the store goes on as it was", async (sql) => {
    await using store = await filled();
    const files = await readdir(".");
    const fault = await faultOf(() => store.query(sql));
    expect(fault).toMatchObject({ code: "invalid_option", path: ["query"], found: sql });
    expect(await store.query("SELECT count(*) AS n, current_setting('threads') > 1 AS t FROM results")).toMatchObject([
      { n: 2 },
    ]);
    expect(await readdir(".")).toEqual(files);
    expect(await store.append([result({ key: "c" })])).toBe(1);
  });
});

test("a transaction that reads cannot write, whatever it runs", async () => {
  using database = await openDatabase(MEMORY, "write");
  const write = database.transact("read", (connection) => connection.run("DELETE FROM results"));
  await expect(write).rejects.toThrow(/read-only/);
});

/** What another program finds in a file. */
async function read(sql: string) {
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    return await (await connection.runAndReadAll(sql)).getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

describe("an exported file", () => {
  test("of .jsonl and .json holds results as they are", async () => {
    await using at = await folder();
    await using store = await filled();
    await store.export(at.at("it's.jsonl"));
    const lines = (await readFile(at.at("it's.jsonl"), "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([...results]);
    await store.export(at.at("a.json"));
    expect(JSON.parse(await readFile(at.at("a.json"), "utf8"))).toEqual([...results]);
    expect(await readdir(at.path)).toEqual(["a.json", "it's.jsonl"]);
  });

  test("of .parquet and .csv holds every field, doubles to the last bit", async () => {
    await using at = await folder();
    await using store = await filled();
    for (const name of ["a.parquet", "a.CSV"]) {
      await store.export(at.at(name));
      const rows = await read(`FROM '${at.at(name)}' ORDER BY key`);
      expect(rows.map(({ key, score }) => ({ key, score }))).toEqual(results.map(({ key, score }) => ({ key, score })));
      expect(Object.keys(rows[0] ?? {})).toEqual(Object.keys(results[0] ?? {}));
    }
  });

  test("replaces another only when it is whole, and leaves nothing half made", async () => {
    await using at = await folder();
    await using store = await filled();
    await writeFile(at.at("a.csv"), "before");
    await mkdir(at.at("b.csv"));
    expect(await faultOf(() => store.export(at.at("b.csv")))).toMatchObject({ code: "disk_error" });
    expect(await faultOf(() => store.export(at.at("none/a.csv")))).toMatchObject({ code: "disk_error" });
    expect(await faultOf(() => store.export(at.at("a.xlsx")))).toMatchObject({ code: "invalid_option" });
    expect(await faultOf(() => store.export(at.at("a")))).toMatchObject({ code: "invalid_option" });
    expect(await readdir(at.path)).toEqual(["a.csv", "b.csv"]);
    expect(await readFile(at.at("a.csv"), "utf8")).toBe("before");
    await store.export(at.at("a.csv"));
    expect(await readFile(at.at("a.csv"), "utf8")).toStartWith("key,task,");
  });
});
