/**
 * A result as a row: a column for each field, under the field's name. What has parts of its own is JSON, so that SQL can name them
 * (`facets->>'length'`). Strings are UTF-8: a lone surrogate, which that cannot hold, becomes U+FFFD.
 */
import { DuckDBListValue, type DuckDBValue, listValue } from "@duckdb/node-api";
import { z } from "zod";
import { KvError } from "../../error.ts";
import type { Provenance } from "../../load.ts";
import { invalid } from "../../options.ts";
import type { Result } from "../result.ts";
import type { Facets, Plain } from "../task.ts";

const sql = z.registry<{ readonly type: string }>();

const text = z.string("a string").register(sql, { type: "VARCHAR NOT NULL" });

const integer = z
  .codec(z.bigint(), z.int("an integer"), { decode: Number, encode: BigInt })
  .register(sql, { type: "BIGINT NOT NULL" });

// Any double, also those that JSON and z.number() lack.
const double = z.custom<number>((it) => typeof it === "number", "a number");
const real = double.clone().register(sql, { type: "DOUBLE NOT NULL" });
const reals = z
  .codec(z.instanceof(DuckDBListValue), z.array(double, "a list of numbers or null").readonly(), {
    decode: ({ items }) => items.map(Number),
    encode: (it) => listValue(it),
  })
  .nullable()
  .register(sql, { type: "DOUBLE[]" });

function json<Value>(accepts: (it: unknown) => boolean, allowed: string) {
  const value = z.custom<Value>(accepts, allowed);
  return z
    .codec(z.string(), value, { decode: (it) => JSON.parse(it), encode: (it) => jsonOf(it) })
    .register(sql, { type: "JSON NOT NULL" });
}

const isRecord = (it: unknown): it is object => typeof it === "object" && it !== null && !Array.isArray(it);
const isFacets = (it: unknown) =>
  isRecord(it) && Object.values(it).every((value) => typeof value === "string" || Number.isFinite(value));

const row = z.object({
  key: text,
  task: text,
  taskOptions: json<Plain>(isRecord, "an object"),
  seed: integer,
  example: text,
  facets: json<Facets>(isFacets, "an object of strings and finite numbers"),
  promptTokens: integer,
  method: text,
  methodOptions: json<Plain>(isRecord, "an object"),
  budget: text,
  kept: real,
  bytes: integer,
  answer: text,
  score: real,
  recall: reals,
  outputError: reals,
  prefillMs: real,
  compressMs: real,
  decodeMs: real,
  provenance: json<Provenance>(isRecord, "an object"),
});

/** The columns with their types, as CREATE TABLE names them. */
export const COLUMNS = Object.entries(row.shape)
  .map(([name, column]) => `"${name}" ${sql.get(column)?.type}${name === "key" ? " PRIMARY KEY" : ""}`)
  .join(", ");

/** A result's values in the order of the columns. @throws KvError `invalid_option` that names the field at fault */
export function rowOf(result: Result): readonly DuckDBValue[] {
  const encoded = z.safeEncode(row, result);
  if (encoded.success) return Object.values(encoded.data);
  const [issue] = encoded.error.issues;
  const path = (issue?.path ?? []).slice(0, 1).map(String);
  throw invalid(["result", ...path], Reflect.get(Object(result), path[0] ?? ""), issue?.message ?? "a result");
}

/** @throws KvError `corrupt_file` for a row that `rowOf` did not make */
export function resultOf(path: string, found: unknown): Result {
  try {
    return row.parse(found);
  } catch (cause) {
    throw new KvError({ code: "corrupt_file", path: [path], found: "another row", allowed: "a store's", cause });
  }
}

/** JSON escapes lone surrogates, which its readers then refuse: they become U+FFFD, as in other strings. */
const jsonOf = (value: unknown): string =>
  JSON.stringify(value).replace(/\\(\\|ud[89a-f][\da-f]{2})/g, (all, escaped) => (escaped === "\\" ? all : "\ufffd"));
