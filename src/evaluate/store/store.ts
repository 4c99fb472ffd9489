/** Where results are kept: a file that a sweep adds to as it goes, and that people query. */
import type { Result } from "../result.ts";

export interface Store extends AsyncDisposable {
  readonly path: string;
  /**
   * Adds results: all of them or, if the process dies or the disk is full, none. Those whose key is there are left as they are.
   *
   * @returns how many were new
   * @throws KvError `disk_error`, after which the store is as it was before
   */
  append(results: readonly Result[]): Promise<number>;
  /** Keys of all results. */
  keys(): Promise<ReadonlySet<string>>;
  /** All results, in an order that does not depend on when they came. */
  results(): AsyncIterable<Result>;
  /** Runs SQL that only reads; the table is `results`, the fields of `Result` its columns. */
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Takes in the results of other stores; returns how many were new. */
  merge(paths: readonly string[]): Promise<number>;
  /** Writes all results to a file: .csv, .parquet, .json or .jsonl. Either the whole file is there or none. */
  export(path: string): Promise<void>;
}
