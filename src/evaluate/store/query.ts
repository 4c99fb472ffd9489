/** SQL of a user's own over the results: it reads them, and can do nothing else. */
import {
  type DuckDBConnection,
  type DuckDBValueConverter,
  type JS,
  JSDuckDBValueConverter,
  StatementType,
} from "@duckdb/node-api";
import { invalid } from "../../options.ts";

export type Row = Readonly<Record<string, unknown>>;

/**
 * Runs one SELECT on a connection that is in a read-only transaction.
 *
 * The transaction alone would let some statements through that change the connection or the instance.
 *
 * @throws KvError `invalid_option`
 */
export async function select(connection: DuckDBConnection, sql: string): Promise<readonly Row[]> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw invalid(["query"], sql, "one statement");
  const statement = await statements.prepare(0);
  if (statement.statementType !== StatementType.SELECT) throw invalid(["query"], sql, "a SELECT, which only reads");
  const found = await statement.run();
  const names = found.deduplicatedColumnNames();
  const isJson = found.columnTypes().map(({ alias }) => alias === "JSON");
  const row = (values: readonly JS[]) =>
    Object.fromEntries(
      values.map((it, i) => [names[i] ?? "", isJson[i] && typeof it === "string" ? JSON.parse(it) : it]),
    );
  return (await found.convertRows(plain)).map(row);
}

/** As JavaScript has it: whole numbers as numbers too, where they fit. */
const plain: DuckDBValueConverter<JS> = (value, type, converter) =>
  typeof value === "bigint" && Number.isSafeInteger(Number(value))
    ? Number(value)
    : JSDuckDBValueConverter(value, type, converter);
