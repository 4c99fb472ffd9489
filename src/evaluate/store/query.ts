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

/** What a read-only transaction leaves: it would let some others through, which change the connection or the instance. */
const READING: readonly StatementType[] = [StatementType.SELECT, StatementType.EXPLAIN];

/** Runs one SELECT or EXPLAIN on a connection that is in a read-only transaction. @throws KvError `invalid_option` */
export async function select(connection: DuckDBConnection, sql: string): Promise<readonly Row[]> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw invalid(["query"], sql, "one statement");
  const statement = await statements.prepare(0);
  if (!READING.includes(statement.statementType))
    throw invalid(["query"], sql, "a statement that only reads, such as SELECT");
  const found = await statement.run();
  return await found.convertRowObjects(plain);
}

/** As JavaScript has it: JSON as what it says, whole numbers as numbers where they fit. */
const plain: DuckDBValueConverter<JS> = (value, type, converter) => {
  if (type.alias === "JSON" && typeof value === "string") return JSON.parse(value);
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  return JSDuckDBValueConverter(value, type, converter);
};
