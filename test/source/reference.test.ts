import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { resolveModel, type SourceOptions } from "../../src/model/source/index.ts";
import { settingsFrom } from "../../src/model/source/options.ts";
import { parseReference } from "../../src/model/source/reference.ts";
import { faultOf, temporaryFolder } from "./helpers.ts";

setDefaultTimeout(30_000);

describe("a model's name", () => {
  test("may be a folder or a .gguf file", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "a.gguf");
    await writeFile(file, "");
    const local = { revision: null, origin: "local" } as const;
    expect(await resolveModel(folder.path)).toEqual({ path: folder.path, id: folder.path, ...local });
    expect(await resolveModel(file)).toEqual({ path: file, id: file, ...local });
  });

  test.each([
    "./nothing-here",
    "../nothing-here",
    "~/nothing-here-at-all",
    "/nothing/here",
    "nothing.gguf",
    "owner/nothing.gguf",
    "C:\\nothing",
  ])("that looks like a path must be there: %s", async (ref) => {
    const fault = await faultOf(resolveModel(ref));
    expect(fault.code).toBe("model_not_found");
    expect(fault.message).toContain("nothing");
  });

  test("that is a file of another kind is refused", async () => {
    expect((await faultOf(resolveModel(import.meta.path))).code).toBe("unsupported_format");
  });

  test.each([
    ["owner/name", "owner/name", null],
    ["HuggingFaceTB/SmolLM2-135M-Instruct", "HuggingFaceTB/SmolLM2-135M-Instruct", null],
    ["a/b.c_d-e@v1.0", "a/b.c_d-e", "v1.0"],
    ["a/b@refs/pr/1", "a/b", "refs/pr/1"],
  ])("may be an id on the Hub: %s", async (ref, id, revision) => {
    expect(await parseReference(ref)).toEqual({ kind: "hub", id, revision });
  });

  test.each([
    "",
    "name",
    "a/b/c",
    "owner/../name",
    "owner/..",
    "owner/na me",
    "owner/name?x=1",
    "owner/name#x",
    "owner/-name",
    "owner/name.",
    "owner/na--me",
    "owner\\name",
    "owner/name\0",
    "owner/name@",
    "owner/name@../../x",
    "owner/name@a@b",
    "owner/name@/x",
    `owner/${"n".repeat(200)}`,
    "http://host/owner/name",
    5 as unknown as string,
    {} as unknown as string,
  ])("that is neither is refused: %j", async (ref) => {
    expect((await faultOf(resolveModel(ref))).code).toBe("invalid_option");
  });
});

describe("options", () => {
  const bad: readonly [string, SourceOptions][] = [
    ["revision", { revision: "../x" }],
    ["revision", { revision: "a//b" }],
    ["hubUrl", { hubUrl: "ftp://host" }],
    ["hubUrl", { hubUrl: "nonsense" }],
    ["token", { token: "secret" }],
    ["patience.stall", { patience: { stall: -1 } }],
    ["patience.attempts", { patience: { attempts: 1.5 } }],
    ["cacheDir", { cacheDir: "" }],
  ];
  test.each(bad)("that cannot be are named: %s", async (name, options) => {
    const fault = await faultOf(resolveModel(undefined, options));
    expect(fault.code).toBe("invalid_option");
    expect(fault.path.join(".")).toBe(`source.${name}`);
    expect(fault.message).not.toContain("secret,");
  });

  test("default to the environment's, and win over it", () => {
    const env = { HF_ENDPOINT: "http://mirror:1/", HF_TOKEN: "hf_env", HF_HUB_OFFLINE: "1" };
    expect(settingsFrom({}, env)).toMatchObject({ hubUrl: "http://mirror:1", token: "hf_env", offline: true });
    const given = { hubUrl: "http://own", token: "hf_own", offline: false };
    expect(settingsFrom(given, env)).toMatchObject(given);
    expect(settingsFrom({}, { HF_TOKEN: "", HF_ENDPOINT: "", HF_HUB_OFFLINE: "0" })).toMatchObject({
      token: null,
      offline: false,
    });
    expect(settingsFrom({}, { TRANSFORMERS_OFFLINE: "true" }).offline).toBe(true);
  });
});
