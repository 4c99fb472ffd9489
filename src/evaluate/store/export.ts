/** Results as a file for other programs: made beside its place and moved there once it is whole and on the disk. */
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { KvError } from "../../error.ts";
import { reason } from "../../model/source/faults.ts";
import { invalid } from "../../options.ts";
import type { Result } from "../result.ts";
import { diskRefused } from "./faults.ts";
import { addRows, createTable, ORDER } from "./rows.ts";

/** How COPY writes what a file's name ends with. */
const FORMATS = new Map([
  [".csv", "FORMAT csv, HEADER"],
  [".parquet", "FORMAT parquet"],
  [".json", "FORMAT json, ARRAY true"],
  [".jsonl", "FORMAT json, ARRAY false"],
]);

/**
 * Writes results in the order of `results()`.
 *
 * They pass through a database in memory, as the store's own has no access to other files.
 *
 * @throws KvError `invalid_option` for another ending, `disk_error`
 */
export async function exportRows(batches: AsyncIterable<readonly Result[]>, path: string): Promise<void> {
  const format = FORMATS.get(extname(path).toLowerCase());
  if (format === undefined || path.includes("\0"))
    throw invalid(["export"], path, `a path that ends with ${[...FORMATS.keys()].join(", ")}`);
  const target = resolve(path);
  const partial = `${target}.${randomUUID()}.partial`;
  const instance = await DuckDBInstance.create();
  try {
    const connection = await instance.connect();
    await createTable(connection);
    await addRows(connection, batches);
    await connection.run(`COPY (FROM results ${ORDER}) TO '${partial.replaceAll("'", "''")}' (${format})`);
    await synced(partial);
    await rename(partial, target);
  } catch (thrown) {
    await rm(partial, { force: true });
    throw thrown instanceof KvError ? thrown : diskRefused(target, reason(thrown), thrown);
  } finally {
    instance.closeSync();
  }
}

async function synced(path: string): Promise<void> {
  await using file = await open(path, "r+");
  await file.sync();
}
