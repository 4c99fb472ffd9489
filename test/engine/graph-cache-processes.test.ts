/** Cached graphs on a machine that is shared, full or closed, and under Deno; and on the real model, with the default options. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { loadModel } from "../../src/index.ts";
import { goldenGguf } from "../support/golden-model.ts";
import { type GraphStage, graphStage, logitsOf } from "../support/graph-stage.ts";

setDefaultTimeout(120_000);

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Loads the stage's model in a process of its own; gives the logits it printed. */
async function elsewhere(
  at: GraphStage,
  start: readonly string[],
  env: Record<string, string> = {},
): Promise<Float32Array> {
  const [command = "", ...args] = [...start, "test/support/graph-process.ts", at.model, at.cacheDir];
  const child = Bun.spawn([command, ...args], {
    cwd: root,
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...env },
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect({ code: await child.exited, err }).toEqual({ code: 0, err: "" });
  return Float32Array.from(JSON.parse(out));
}

const bun = [process.execPath] as const;

test("processes that load at once make one graph, and all give the same logits", async () => {
  await using at = await graphStage();
  const all = await Promise.all(Array.from({ length: 4 }, () => elsewhere(at, bun)));
  const expected = await at.logits({ graphCache: false });
  for (const logits of all) expect(logits).toEqual(expected);
  expect(await at.entries()).toHaveLength(1);
});

test("Bun and Deno use each other's graph", async () => {
  await using at = await graphStage();
  const expected = await at.logits();
  const [name] = await at.entries();
  const deno = [process.execPath, "node_modules/deno/bin.cjs", "run", "--quiet", "--allow-all"];
  expect(await elsewhere(at, deno)).toEqual(expected);
  expect(await at.entries()).toEqual([name ?? ""]);
});

describe("a cache that cannot be written is done without, and nothing half made is left:", () => {
  test("a file where the folder should be", async () => {
    await using at = await graphStage();
    const expected = await at.logits({ graphCache: false });
    await mkdir(dirname(at.graphs), { recursive: true });
    await writeFile(at.graphs, "");
    expect(await at.logits()).toEqual(expected);
  });

  test("a place that takes no folders", async () => {
    await using at = await graphStage();
    const expected = await at.logits({ graphCache: false });
    expect(await at.logits({ cacheDir: "/proc/pyramidkv" })).toEqual(expected);
  });

  test("a disk that is full midway", async () => {
    await using at = await graphStage();
    const expected = await at.logits({ graphCache: false });
    // No file may be larger than 48 KiB: the graph and the first weights fit, the feed-forward ones do not.
    const limited = ["bash", "-c", 'trap "" XFSZ; ulimit -f 48; exec "$@"', "limited", ...bun];
    expect(await elsewhere(at, limited, { BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" })).toEqual(expected);
    expect(await at.entries()).toEqual([]);
  });
});

const path = await goldenGguf();
if (path !== null) {
  test("the real model gets a graph by default, unless the environment says no, and gives the same logits either way", async () => {
    await using at = await graphStage();
    const before = process.env.PYRAMIDKV_GRAPH_CACHE;
    const logits = async (variable: string) => {
      process.env.PYRAMIDKV_GRAPH_CACHE = variable;
      try {
        using model = await loadModel(path, { cacheDir: at.cacheDir });
        return await logitsOf(model);
      } finally {
        if (before === undefined) delete process.env.PYRAMIDKV_GRAPH_CACHE;
        else process.env.PYRAMIDKV_GRAPH_CACHE = before;
      }
    };
    const expected = await logits("0");
    expect(await at.entries()).toEqual([]);
    for (const _ of ["cold", "warm"]) expect(await logits("")).toEqual(expected);
    expect(await at.entries()).toHaveLength(1);
  });
}
