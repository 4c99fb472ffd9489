import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { isAbsolute, join, normalize } from "node:path";
import fc from "fast-check";
import { KvError } from "../../src/error.ts";
import { neededFiles, remoteFile, shardNames } from "../../src/model/source/listing.ts";
import { safeRelativePath } from "../../src/model/source/safe-name.ts";
import { entry, large, noise, small } from "../support/hub-server.ts";
import { faultOf, stage } from "./helpers.ts";

setDefaultTimeout(30_000);

const ESCAPES = [
  "../evil",
  "a/../../evil",
  "/etc/evil",
  "..",
  "a//b",
  "",
  "..\\evil",
  "a\\..\\evil",
  "\\\\host\\share\\evil",
  "C:\\evil",
  "C:evil",
  "a/C:evil",
  "config.json\0.txt",
  "a\nb",
  `${"a".repeat(256)}`,
];

describe("names from a listing", () => {
  test.each(ESCAPES)("that lead out of the folder are refused, and nothing is written: %j", async (name) => {
    await using at = await stage();
    at.hub.faults.listing = [entry(name, small("evil"))];
    expect((await faultOf(at.resolve())).code).toBe("unsafe_path");
    expect(await readdir(at.cacheDir)).toEqual([]);
  });

  test("that pass lead nowhere else, whatever they are", () => {
    const parts = fc.array(fc.oneof(fc.constantFrom("..", ".", "a", "C:", "\\"), fc.string()), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(parts, (names) => {
        const name = names.join("/");
        let safe: string;
        try {
          safe = safeRelativePath(name, "test");
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(KvError);
          return;
        }
        expect(isAbsolute(safe)).toBe(false);
        expect(normalize(join("/base", safe))).toBe(`/base/${safe}`);
      }),
      { seed: 3, numRuns: 2_000 },
    );
  });
});

describe("hashes from a listing", () => {
  test.each(["../../../evil", "", "a".repeat(39), "A".repeat(40), `${"a".repeat(40)}/..`])(
    "that are not hashes never become file names: %j",
    async (oid) => {
      await using at = await stage();
      at.hub.faults.listing = [{ type: "file", path: "config.json", size: 1, oid }];
      expect((await faultOf(at.resolve())).code).toBe("download_failed");
    },
  );

  test("entries that are no entries are refused, whatever they are", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          remoteFile(value, "test");
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(KvError);
        }
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});

describe("commits and answers", () => {
  test.each([
    ["a commit that is a path", { sha: "../../evil" }],
    ["no commit", {}],
    ["a list", []],
    ["no JSON", "<html>"],
  ])("that make no sense are typed errors: %s", async (_name, answer) => {
    await using at = await stage();
    at.hub.route = (_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
      return true;
    };
    expect(["download_failed", "model_unreachable"]).toContain((await faultOf(at.resolve())).code);
    expect(await readdir(at.cacheDir)).toEqual([]);
  });
});

describe("shards from an index", () => {
  const model = (index: string) => ({
    "config.json": small("{}"),
    "model.safetensors.index.json": small(index),
    "real.safetensors": large(noise(100)),
  });
  const naming = (name: string) => JSON.stringify({ weight_map: { a: "real.safetensors", b: name } });

  test.each([
    "../../evil.safetensors",
    "/etc/evil.safetensors",
    "sub/evil.safetensors",
    "C:evil.safetensors",
    "..\\evil.safetensors",
  ])("with a way out are refused: %j", async (name) => {
    await using at = await stage(model(naming(name)));
    expect((await faultOf(at.resolve())).code).toBe("unsafe_path");
  });

  test.each([
    naming("absent.safetensors"),
    naming("config.json"),
    "{}",
    "not json",
    '{"weight_map":{}}',
    '{"weight_map":{"a":1}}',
  ])("that are not there, or no index at all, are a corrupt file: %s", async (index) => {
    await using at = await stage(model(index));
    expect((await faultOf(at.resolve())).code).toBe("corrupt_file");
  });

  test("are the values of the index, each once", () => {
    expect(shardNames('{"weight_map":{"a":"x.safetensors","b":"x.safetensors","c":"y.safetensors"}}', "test")).toEqual([
      "x.safetensors",
      "y.safetensors",
    ]);
  });

  test("an index too large to be one is not read", () => {
    const file = (path: string, size: number) => ({ path, size, hash: "0".repeat(40) });
    const huge = [file("config.json", 1), file("model.safetensors.index.json", 1e12)];
    expect(() => neededFiles(huge, "any", "test")).toThrow(KvError);
  });
});
