/**
 * The store: one file (a DuckDB database) that holds every result of every sweep, and that any DuckDB can read.
 *
 * It promises that what `append` returned for survives the process's death and the machine's; that an append which fails or is cut
 * off leaves the store as it was; that results of equal keys are there once; and that numbers come back to the last bit. One process
 * at a time has it open: processes that share a sweep write a store each, and `merge` brings them together.
 */
import { KvError } from "../../error.ts";
import { reason } from "../../model/source/faults.ts";
import type { Result } from "../result.ts";
import { MEMORY, openDatabase } from "./database.ts";
import { exportRows } from "./export.ts";
import { select } from "./query.ts";
import { addRows, readRows } from "./rows.ts";
import type { Store } from "./store.ts";

/**
 * Opens a store, making it if it is not there.
 *
 * @param path a file, by custom `<name>.duckdb`; default: in memory, gone when it is disposed
 * @throws KvError `corrupt_file` where the file is not a store, or one of another version; `disk_error` where its folder is missing,
 *   it cannot be written, or it is open already, here or in another process
 */
export async function openStore(path: string = MEMORY): Promise<Store> {
  const database = await openDatabase(path, "write");
  const { transact, stream } = database;
  const writes = oneAtATime(); // two at once would clash over equal keys
  const batches = () => stream((connection) => readRows(connection, database.path));
  const add = (source: Iterable<readonly Result[]> | AsyncIterable<readonly Result[]>) =>
    writes(() => transact("write", (connection) => addRows(connection, source)));
  return {
    path: database.path,
    append: (results) => add([results]),
    async keys() {
      const rows = await transact("read", (connection) => connection.runAndReadAll(`SELECT "key" FROM results`));
      return new Set(rows.getRowsJS().flat().map(String));
    },
    async *results() {
      for await (const batch of batches()) yield* batch;
    },
    async query(sql) {
      try {
        return await transact("read", (connection) => select(connection, sql));
      } catch (thrown) {
        if (thrown instanceof KvError) throw thrown;
        throw new KvError({
          code: "invalid_option",
          path: ["query"],
          found: sql,
          allowed: "SQL over the table `results`",
          hint: reason(thrown),
          cause: thrown,
        });
      }
    },
    merge: (paths) => add(others(paths)),
    export: (to) => exportRows(batches(), to),
    async [Symbol.asyncDispose]() {
      await writes(async () => database[Symbol.dispose]());
    },
  };
}

async function* others(paths: readonly string[]): AsyncGenerator<readonly Result[]> {
  for (const path of paths) {
    using database = await openDatabase(path, "read");
    yield* database.stream((connection) => readRows(connection, database.path));
  }
}

/** Runs each work after those before it, however they ended. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  };
}
