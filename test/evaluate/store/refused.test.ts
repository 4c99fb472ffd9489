/** Paths, files and results that a store refuses, and what is left of them. */
import { describe, expect, test } from "bun:test";
import { mkdir, readdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import { openStore } from "../../../src/evaluate/store/index.ts";
import { faultOf } from "../../support/fault.ts";
import { result } from "../../support/results.ts";
import { all, folder } from "./helpers.ts";

async function database(path: string, ...sql: readonly string[]): Promise<void> {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  for (const statement of sql) await connection.run(statement);
  connection.closeSync();
  instance.closeSync();
}

describe("a file that is not a store is left alone:", () => {
  test.each([
    ["text", (path: string) => writeFile(path, "key,task\n".repeat(5000))],
    ["an empty file", (path: string) => writeFile(path, "")],
    ["another database", (path: string) => database(path, "CREATE TABLE results (key INTEGER)")],
    [
      "a store of a later version",
      (path: string) => database(path, "CREATE TABLE pyramidkv_store AS SELECT 2 AS version"),
    ],
    ["a store without its version", (path: string) => database(path, "CREATE TABLE pyramidkv_store (version INTEGER)")],
    ["a store that was cut off", cutOff],
  ])("%s", async (_name, make) => {
    await using at = await folder();
    await make(at.at("a"));
    const before = await readFile(at.at("a"));
    const fault = await faultOf(() => openStore(at.at("a")));
    expect(fault).toMatchObject({ code: "corrupt_file", path: [at.at("a")] });
    expect(await readFile(at.at("a"))).toEqual(before);
    expect(await readdir(at.path)).toEqual(["a"]);
    await using other = await openStore();
    expect(await faultOf(() => other.merge([at.at("a")]))).toMatchObject({ code: "corrupt_file" });
    expect(await readdir(at.path)).toEqual(["a"]);
  });

  async function cutOff(path: string): Promise<void> {
    {
      await using store = await openStore(path);
      await store.append(
        Array.from({ length: 3000 }, (_, i) => result({ key: `${i}`, answer: `${Math.sin(i)}`.repeat(20) })),
      );
    }
    await truncate(path, 9000);
  }
});

describe("a place where no store can be", () => {
  test.each([
    ["a folder", ""],
    ["a folder that is missing", "none/a"],
    ["a file where a folder should be", "file/a"],
    ["a name with NUL", "a\0b"],
    ["a link that leads nowhere", "link"],
  ])("%s is a disk error that names it", async (_name, name) => {
    await using at = await folder();
    await writeFile(at.at("file"), "");
    await symlink(at.at("none/there"), at.at("link"));
    const fault = await faultOf(() => openStore(at.at(name)));
    expect(fault.code).toBe("disk_error");
    expect(fault.message).toContain(at.path);
    expect(await readdir(at.path)).toEqual(["file", "link"]);
  });

  test("one that takes no files is a disk error", async () => {
    expect(await faultOf(() => openStore("/proc/pyramidkv.duckdb"))).toMatchObject({ code: "disk_error" });
  });
});

test("a path that looks like an address is a file", async () => {
  await using at = await folder();
  await mkdir(at.at("md:"));
  await using store = await openStore(at.at("md:/a"));
  expect(store.path).toBe(at.at("md:/a"));
  await using memory = await openStore();
  expect(memory.path).toBe(":memory:");
});

test("a store is open once in a process, by whatever name, and free after", async () => {
  await using at = await folder();
  await symlink(at.at("a"), at.at("link"));
  {
    await using store = await openStore(at.at("a"));
    for (const name of ["a", "./a", "link"])
      expect(await faultOf(() => openStore(at.at(name)))).toMatchObject({ code: "disk_error", found: "in use" });
    expect(await faultOf(() => store.merge([at.at("a")]))).toMatchObject({ code: "disk_error", found: "in use" });
    expect(await store.append([result()])).toBe(1);
  }
  expect(await all(at.at("link"))).toEqual([result()]);
});

test("a store that is closed says so", async () => {
  const store = await openStore();
  await store[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  for (const use of [
    () => store.append([]),
    () => store.keys(),
    () => store.query("SELECT 1"),
    () => Array.fromAsync(store.results()),
  ])
    expect(await faultOf(use)).toMatchObject({ code: "disposed" });
});

test.each([
  ["promptTokens", 1.5],
  ["seed", 2 ** 60],
  ["bytes", Number.NaN],
  ["score", "1"],
  ["answer", undefined],
  ["recall", [1, "2"]],
  ["facets", { length: Number.NaN }],
  ["facets", null],
  ["provenance", []],
] as const)("a result whose %s is %p is refused with all that came with it", async (field, value) => {
  await using store = await openStore();
  const wrong = { ...result({ key: "wrong" }), [field]: value };
  const fault = await faultOf(() => store.append([result(), JSON.parse("{}"), wrong].filter((it) => "key" in it)));
  expect(fault).toMatchObject({ code: "invalid_option", path: ["result", field], found: value });
  expect((await store.keys()).size).toBe(0);
});
