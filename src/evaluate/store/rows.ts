/** The table of results, in whatever database a connection leads to: made, added to, read. */
import { type DuckDBConnection, DuckDBDataChunk } from "@duckdb/node-api";
import type { Result } from "../result.ts";
import { COLUMNS, resultOf, rowOf } from "./columns.ts";

/** The rows that the database takes at once. */
const CHUNK = 2048;

/** Does not depend on when results came; the key settles what is equal in all else. */
export const ORDER = `ORDER BY task, seed, example, method, budget, "key"`;

export async function createTable(connection: DuckDBConnection): Promise<void> {
  await connection.run(`CREATE TABLE results (${COLUMNS})`);
}

/**
 * Adds results whose key is not there yet. Of new ones with equal keys (they differ in times at most) one that does not depend on
 * their order is taken.
 *
 * @returns how many were new
 */
export async function addRows(
  connection: DuckDBConnection,
  batches: Iterable<readonly Result[]> | AsyncIterable<readonly Result[]>,
): Promise<number> {
  await connection.run("CREATE OR REPLACE TEMP TABLE staged AS FROM results LIMIT 0");
  const appender = await connection.createAppender("staged");
  try {
    const types = Array.from({ length: appender.columnCount }, (_, i) => appender.columnType(i));
    for await (const results of batches) {
      for (let from = 0; from < results.length; from += CHUNK) {
        const chunk = DuckDBDataChunk.create(types);
        chunk.setRows(results.slice(from, from + CHUNK).map(rowOf));
        appender.appendDataChunk(chunk);
      }
    }
  } finally {
    appender.closeSync();
  }
  const added = await connection.run(
    `INSERT INTO results SELECT DISTINCT ON ("key") * FROM staged ORDER BY "key", md5(staged::VARCHAR) ON CONFLICT DO NOTHING`,
  );
  await connection.run("DROP TABLE staged");
  return added.rowsChanged;
}

/** All results in the order of `ORDER`, a few thousand at a time. @param path what errors call the store */
export async function* readRows(connection: DuckDBConnection, path: string): AsyncGenerator<readonly Result[]> {
  const rows = await connection.stream(`FROM results ${ORDER}`);
  for await (const batch of rows.yieldRowObjects()) yield batch.map((found) => resultOf(path, found));
}
