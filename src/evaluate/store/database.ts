/** A store's database file, open: made where there was none, known by its version, and open once at a time. */
import { realpath, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { KvError } from "../../error.ts";
import { systemCode } from "../../model/source/faults.ts";
import { diskRefused, inUse, notAStore, storeFault } from "./faults.ts";
import { createTable } from "./rows.ts";

export const MEMORY = ":memory:";

/** Of the tables. A store of another one is refused. */
const VERSION = 1;

/** Whatever SQL says, nothing but the database's own files is read or written, and nothing is fetched. */
const CONFINED = {
  enable_external_access: "false",
  autoinstall_known_extensions: "false",
  autoload_known_extensions: "false",
  lock_configuration: "true",
};

/** What is open here: the system's locks keep out other processes, but not this one. */
const open = new Set<string>();

export type Access = "read" | "write";

export interface Database extends Disposable {
  /** Absolute, or ":memory:". */
  readonly path: string;
  /**
   * Gives `work` a connection of its own with a transaction, which is kept if it ends well and else leaves nothing behind.
   *
   * @throws KvError `disk_error`, `corrupt_file`, `disposed`
   */
  transact<T>(access: Access, work: (connection: DuckDBConnection) => Promise<T>): Promise<T>;
  /** The same for what is read bit by bit; it sees the store as it was at the start. @throws the same */
  stream<T>(read: (connection: DuckDBConnection) => AsyncIterable<T>): AsyncIterable<T>;
}

/** Opens a store's file, for writing making it if need be. @throws KvError `disk_error`, `corrupt_file` */
export async function openDatabase(given: string, access: Access): Promise<Database> {
  const { path, isNew } = given === MEMORY ? { path: MEMORY, isNew: false } : await located(given, access);
  if (open.has(path)) throw inUse(path, "this process has it open already");
  const release = () => open.delete(path);
  if (path !== MEMORY) open.add(path);
  try {
    const mode = access === "read" ? { access_mode: "READ_ONLY" } : {};
    const instance = await DuckDBInstance.create(path, { ...CONFINED, ...mode });
    const database = databaseOf(path, instance, release);
    try {
      await database.transact(access, (connection) => recognise(connection, path, access));
      return database;
    } catch (fault) {
      database[Symbol.dispose]();
      if (isNew) await rm(path, { force: true });
      throw fault;
    }
  } catch (thrown) {
    release();
    throw storeFault(path, thrown);
  }
}

function databaseOf(path: string, instance: DuckDBInstance, release: () => void): Database {
  let disposed = false;
  const begin = async (access: Access) => {
    if (disposed) throw new KvError({ code: "disposed", path: [path], found: "closed", allowed: "a store in use" });
    const connection = await instance.connect();
    await connection.run(`BEGIN TRANSACTION ${access === "read" ? "READ ONLY" : ""}`);
    // Closing rolls back what was not committed.
    return { connection, [Symbol.dispose]: () => connection.closeSync() };
  };
  return {
    path,
    async transact(access, work) {
      try {
        using transaction = await begin(access);
        const result = await work(transaction.connection);
        await transaction.connection.run("COMMIT");
        return result;
      } catch (thrown) {
        throw storeFault(path, thrown);
      }
    },
    async *stream(read) {
      try {
        using transaction = await begin("read");
        yield* read(transaction.connection);
      } catch (thrown) {
        throw storeFault(path, thrown);
      }
    },
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      instance.closeSync();
      release();
    },
  };
}

/** Finds the store's tables, or makes them in a database that has none. */
async function recognise(connection: DuckDBConnection, path: string, access: Access): Promise<void> {
  const tables = (await connection.runAndReadAll("SELECT table_name FROM duckdb_tables()")).getRowsJS().flat();
  if (tables.length === 0 && access === "write") {
    await createTable(connection);
    await connection.run(`CREATE TABLE pyramidkv_store AS SELECT ${VERSION} AS version`);
    return;
  }
  if (!tables.includes("pyramidkv_store")) throw notAStore(path, "a database of something else");
  const [version] = (await connection.runAndReadAll("SELECT version FROM pyramidkv_store")).getRowsJS().flat();
  if (version !== VERSION) throw notAStore(path, `a store of version ${version}, and this program knows ${VERSION}`);
}

/** One name for each file, whatever links lead to it; the database would take some paths for addresses. */
async function located(given: string, access: Access): Promise<{ path: string; isNew: boolean }> {
  const path = resolve(given);
  if (given.includes("\0")) throw diskRefused(given, "NUL in its name");
  try {
    if ((await stat(path)).isDirectory()) throw diskRefused(path, "it is a folder");
    return { path: await realpath(path), isNew: false };
  } catch (thrown) {
    if (thrown instanceof KvError) throw thrown;
    if (systemCode(thrown) !== "ENOENT" || access === "read") throw diskRefused(path, systemCode(thrown), thrown);
  }
  try {
    return { path: join(await realpath(dirname(path)), basename(path)), isNew: true };
  } catch (thrown) {
    throw diskRefused(path, `${systemCode(thrown)} for its folder`, thrown);
  }
}
