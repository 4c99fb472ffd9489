import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { lstat, mkdir, readdir, readFile, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";
import { hashOf, large, noise, small } from "../support/hub-server.ts";
import { contentRequests, faultOf, plainModel, SIZE, stage, WEIGHTS } from "./helpers.ts";

setDefaultTimeout(30_000);

describe("a model on the Hub", () => {
  test("arrives with the files it needs, in the cache's standard layout", async () => {
    await using at = await stage();
    const commit = at.hub.commit();
    const location = await at.resolve();
    expect(location).toEqual({
      path: join(at.repo, "snapshots", commit),
      id: "owner/model",
      revision: commit,
      origin: "hub",
    });
    expect((await readdir(location.path)).sort()).toEqual(["config.json", WEIGHTS, "tokenizer.json"]);
    const hash = hashOf(large(noise(SIZE)));
    expect(await readlink(join(location.path, WEIGHTS))).toBe(`../../blobs/${hash}`);
    expect(await readFile(join(location.path, WEIGHTS))).toEqual(Buffer.from(noise(SIZE)));
    expect(await readFile(join(at.repo, "refs", "main"), "utf8")).toBe(commit);
    expect((await readdir(join(at.repo, "blobs"))).every((name) => /^[0-9a-f]+$/.test(name))).toBe(true);
  });

  test("is not fetched again, and a branch is asked for with two questions", async () => {
    await using at = await stage();
    await at.resolve();
    at.hub.requests = [];
    expect((await at.resolve()).origin).toBe("cache");
    expect(at.hub.requests).toHaveLength(2);
  });

  test("is taken from the cache without a question when its commit is given", async () => {
    await using at = await stage();
    const revision = at.hub.commit();
    await at.resolve({ revision });
    at.hub.requests = [];
    expect((await at.resolve({}, `owner/model@${revision}`)).origin).toBe("cache");
    expect(at.hub.requests).toHaveLength(0);
  });

  test("follows its branch, and fetches only what changed", async () => {
    await using at = await stage();
    await at.resolve();
    at.hub.files.set("config.json", small("{}"));
    at.hub.requests = [];
    const location = await at.resolve({}, "owner/model@main");
    expect(location.revision).toBe(at.hub.commit());
    expect(await readFile(join(location.path, "config.json"), "utf8")).toBe("{}");
    expect(contentRequests(at.hub)).toHaveLength(0);
  });

  test("may be a tag", async () => {
    await using at = await stage();
    expect((await at.resolve({ revision: "v1.0" })).revision).toBe(at.hub.commit());
    expect(await readFile(join(at.repo, "refs", "v1.0"), "utf8")).toBe(at.hub.commit());
  });

  test("that another tool has cached is used as it is", async () => {
    await using at = await stage();
    const commit = at.hub.commit();
    const folder = join(at.repo, "snapshots", commit);
    await Promise.all([mkdir(folder, { recursive: true }), mkdir(join(at.repo, "blobs"), { recursive: true })]);
    for (const [index, name] of ["config.json", "tokenizer.json", WEIGHTS].entries()) {
      await Bun.write(join(at.repo, "blobs", `blob${index}`), "x");
      await symlink(`../../blobs/blob${index}`, join(folder, name));
    }
    expect((await at.resolve({ revision: commit, offline: true })).path).toBe(folder);
    expect(at.hub.requests).toHaveLength(0);
  });

  test("reports its bytes, the earlier ones included", async () => {
    await using at = await stage();
    const seen: [string, number, number | null][] = [];
    await at.resolve({ onProgress: ({ file, received, total }) => seen.push([file, received, total]) });
    const weights = seen.filter(([file]) => file === WEIGHTS);
    expect(weights.at(-1)).toEqual([WEIGHTS, SIZE, SIZE]);
    expect(weights.every(([, received], index) => index === 0 || received > (weights[index - 1]?.[1] ?? 0))).toBe(true);
  });
});

describe("weights", () => {
  const shard = (seed: number) => large(noise(2_000, seed));
  const index = (names: Record<string, string>) => small(JSON.stringify({ metadata: {}, weight_map: names }));

  test("in shards arrive with every shard the index names, and no other", async () => {
    await using at = await stage({
      "config.json": small("{}"),
      "model.safetensors.index.json": index({
        a: "m-1-of-2.safetensors",
        b: "m-2-of-2.safetensors",
        c: "m-1-of-2.safetensors",
      }),
      "m-1-of-2.safetensors": shard(1),
      "m-2-of-2.safetensors": shard(2),
      "other.safetensors": shard(3),
    });
    const { path } = await at.resolve();
    expect((await readdir(path)).sort()).toEqual(
      ["config.json", "m-1-of-2.safetensors", "m-2-of-2.safetensors", "model.safetensors.index.json"].sort(),
    );
  });

  test("are the one GGUF where there are no safetensors", async () => {
    await using at = await stage({ "README.md": small("x"), "quants/Model 4 #1.gguf": shard(1) });
    const { path, revision } = await at.resolve();
    expect(path).toBe(join(at.repo, "snapshots", revision ?? "", "quants/Model 4 #1.gguf"));
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    expect((await at.resolve({ offline: true })).path).toBe(path);
  });

  test("are the GGUF where that is asked for", async () => {
    await using at = await stage({ ...plainModel(), "model.gguf": shard(1) });
    expect((await at.resolve({ weights: "gguf" })).path).toEndWith("model.gguf");
    expect(contentRequests(at.hub)).toHaveLength(0);
  });

  test.each([
    ["none at all", { "README.md": small("x"), "pytorch_model.bin": shard(1) }, "pytorch_model.bin"],
    ["several GGUFs", { "a.gguf": shard(1), "b.gguf": shard(2) }, "2 .gguf files"],
  ])("of an unknown form are told by what is there: %s", async (_name, files, said) => {
    await using at = await stage(files);
    const fault = await faultOf(at.resolve());
    expect(fault.code).toBe("unsupported_format");
    expect(fault.message).toContain(said);
  });
});

describe("offline", () => {
  test("a cached model is used without a question, by its branch too", async () => {
    await using at = await stage();
    const { path } = await at.resolve();
    at.hub.requests = [];
    expect(await at.resolve({ offline: true })).toMatchObject({ path, origin: "cache" });
    expect(at.hub.requests).toHaveLength(0);
  });

  test("a missing model says so, and where it looked", async () => {
    await using at = await stage();
    const fault = await faultOf(at.resolve({ offline: true }));
    expect(fault.code).toBe("model_unreachable");
    expect(fault.message).toContain("offline");
    expect(fault.message).toContain(at.repo);
    expect(at.hub.requests).toHaveLength(0);
  });

  test("a model that is only half there is not taken for whole", async () => {
    await using at = await stage();
    at.hub.faults.interrupt = { after: 10_000, how: "cut", times: 99 };
    await faultOf(at.resolve({ patience: { attempts: 1 } }));
    expect((await faultOf(at.resolve({ offline: true }))).code).toBe("model_unreachable");
  });
});
