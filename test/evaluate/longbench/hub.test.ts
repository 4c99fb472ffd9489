/** LongBench from the Hub: a server of our own stands for it, with the archive as the real one has it. */
import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { longBench, longBenchV2 } from "../../../src/evaluate/tasks/longbench/index.ts";
import { datasetFile } from "../../../src/model/source/dataset.ts";
import { scratch } from "../../model/helpers.ts";
import { PATIENCE, temporaryFolder } from "../../source/helpers.ts";
import { faultOf } from "../../support/fault.ts";
import { large, startHub } from "../../support/hub-server.ts";
import { zipOf } from "../../support/zip-writer.ts";
import { examplesOf, FIXTURES } from "./helpers.ts";

setDefaultTimeout(30_000);

const DATA = join(FIXTURES, "data");
const file = (name: string): Uint8Array => readFileSync(join(DATA, name));
const archive = zipOf(
  readdirSync(DATA)
    .filter((name) => name.endsWith(".jsonl"))
    .map((name) => [`data/${name}`, file(name)] as const),
);

const environment = { ...process.env };
afterEach(() => {
  for (const name of ["HF_ENDPOINT", "HF_HUB_CACHE", "HF_HUB_OFFLINE"]) {
    if (environment[name] === undefined) delete process.env[name];
    else process.env[name] = environment[name];
  }
});

/** A Hub with one data set, and an empty cache; the environment points to both. */
async function stage(id: string, files: Readonly<Record<string, Uint8Array>>) {
  const content = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, large(bytes)]));
  const [hub, cache] = await Promise.all([startHub(`datasets/${id}`, content), temporaryFolder()]);
  Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_HUB_CACHE: cache.path });
  return {
    hub,
    cache: cache.path,
    options: { hubUrl: hub.url, cacheDir: cache.path, patience: PATIENCE },
    [Symbol.asyncDispose]: async () => {
      await hub[Symbol.asyncDispose]();
      await cache[Symbol.asyncDispose]();
    },
  };
}

describe("LongBench on the Hub", () => {
  test("is the same as its files, is fetched once, and stays when the Hub goes", async () => {
    await using at = await stage("THUDM/LongBench", { "data.zip": archive });
    const expected = await examplesOf(longBench("qasper", { folder: FIXTURES }));
    expect(await examplesOf(longBench("qasper"))).toEqual(expected);
    expect(readdirSync(at.cache)).toContain("datasets--THUDM--LongBench");
    const sent = at.hub.sent("data.zip");
    expect(await examplesOf(longBench("trec", { examples: 1 }))).toHaveLength(1);
    expect(at.hub.sent("data.zip")).toBe(sent);
    at.hub.faults.silent = true;
    process.env.HF_HUB_OFFLINE = "1";
    expect(await examplesOf(longBench("qasper"))).toEqual(expected);
  });

  test("v2 is one plain file", async () => {
    await using _at = await stage("THUDM/LongBench-v2", { "data.json": file("data.json") });
    expect(await examplesOf(longBenchV2())).toEqual(await examplesOf(longBenchV2({ folder: FIXTURES })));
  });

  test("may be another data set, at a commit, which is then not asked for again", async () => {
    await using at = await stage("me/mine", { "data.zip": archive });
    const hub = `me/mine@${at.hub.commit()}`;
    expect(await examplesOf(longBench("lcc", { hub }))).toHaveLength(2);
    at.hub.requests = [];
    expect(await examplesOf(longBench("lcc", { hub }))).toHaveLength(2);
    expect(at.hub.requests).toHaveLength(0);
  });
});

describe("a data set's file", () => {
  test("that is not there is named, as is a data set", async () => {
    await using at = await stage("me/mine", { "data.zip": archive });
    const fault = await faultOf(() => datasetFile("me/mine", "other.zip", at.options));
    expect([fault.code, fault.path]).toEqual(["model_not_found", ["datasets/me/mine", "other.zip"]]);
    const other = await faultOf(() => datasetFile("me/other", "data.zip", at.options));
    expect([other.code, other.path]).toEqual(["model_not_found", ["dataset"]]);
    expect(other.message).toContain("a dataset and revision that exist");
    expect((await faultOf(() => datasetFile("mine", "data.zip", at.options))).code).toBe("invalid_option");
  });

  test("is checked: other bytes are refused, and nothing is kept of them", async () => {
    await using at = await stage("me/mine", { "data.zip": archive });
    at.hub.faults.substitute = new Map([["data.zip", archive.map((byte) => byte ^ 1)]]);
    expect((await faultOf(() => datasetFile("me/mine", "data.zip", at.options))).code).toBe("checksum_mismatch");
    at.hub.faults = {};
    expect(readFileSync(await datasetFile("me/mine", "data.zip", at.options))).toEqual(Buffer.from(archive));
  });

  test("that changes on its branch is fetched again; without the Hub the last one is used", async () => {
    await using at = await stage("me/mine", { "data.zip": archive });
    const first = await datasetFile("me/mine", "data.zip", at.options);
    at.hub.files.set("data.zip", large(Uint8Array.of(1, 2, 3)));
    const second = await datasetFile("me/mine", "data.zip", at.options);
    expect([second === first, [...readFileSync(second)]]).toEqual([false, [1, 2, 3]]);
    at.hub.faults.silent = true;
    const options = { ...at.options, patience: { ...PATIENCE, connect: 50, attempts: 1 } };
    expect(await datasetFile("me/mine", "data.zip", options)).toBe(second);
    expect(await datasetFile("me/mine", "data.zip", { ...options, offline: true })).toBe(second);
    const fault = await faultOf(() => datasetFile("me/mine", "more.zip", { ...options, offline: true }));
    expect([fault.code, fault.path]).toEqual(["model_unreachable", ["dataset"]]);
  });
});

describe("an archive in a folder", () => {
  test("is read as the files are", async () => {
    using folder = scratch({ "data.zip": archive });
    for (const dataset of ["qasper", "samsum"]) {
      const found = await examplesOf(longBench(dataset, { folder: folder.path }));
      expect(found).toEqual(await examplesOf(longBench(dataset, { folder: FIXTURES })));
    }
  });

  test.each([
    ["lacks the file", zipOf([["data/trec.jsonl", file("trec.jsonl")]]), "an archive with qasper.jsonl"],
    ["is cut off", archive.subarray(0, archive.length - 40), "a zip archive"],
    [
      "is spoilt",
      zipOf([["data/qasper.jsonl", file("qasper.jsonl")]], (packed) => packed.subarray(0, -20)),
      "a zip archive",
    ],
    [
      "claims another size",
      zipOf([["data/qasper.jsonl", file("qasper.jsonl")]], () => deflateRawSync("more")),
      "a zip archive",
    ],
  ])("that %s is refused with its name", async (_name, bytes, allowed) => {
    using folder = scratch({ "data.zip": bytes });
    const fault = await faultOf(() => examplesOf(longBench("qasper", { folder: folder.path })));
    const path = [join(folder.path, "data.zip")];
    expect([fault.code, fault.path, fault.allowed]).toEqual(["corrupt_file", path, allowed]);
  });
});
