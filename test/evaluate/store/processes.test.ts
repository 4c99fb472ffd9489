/** Stores and processes that are killed, that meet a full disk, that share a machine, or that are another runtime's. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openStore } from "../../../src/evaluate/store/index.ts";
import { faultOf } from "../../support/fault.ts";
import { uniform } from "../../support/random.ts";
import { result } from "../../support/results.ts";
import { SEED } from "../../support/seed.ts";
import { all, folder } from "./helpers.ts";

setDefaultTimeout(120_000);

const root = fileURLToPath(new URL("../../..", import.meta.url));
const BUN = [process.execPath];
const DENO = [process.execPath, "node_modules/deno/bin.cjs", "run", "--quiet", "--no-check", "--allow-all"];

/** A process that works on a store: its lines as they come, and its end. */
function elsewhere(args: readonly (string | number)[], start: readonly string[] = BUN) {
  const env = { ...process.env, BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" }; // whose files would meet the full disk first
  const command = [...start, "test/support/store-process.ts", ...args.map(String)];
  const child = Bun.spawn(command, { cwd: root, stdout: "pipe", stderr: "inherit", env });
  return { child, lines: linesOf(child.stdout) };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** Runs a process to its end. */
async function said(args: readonly (string | number)[], start?: readonly string[]): Promise<string[]> {
  const { child, lines } = elsewhere(args, start);
  const all = await Array.fromAsync(lines);
  expect(await child.exited).toBe(0);
  return all;
}

describe("kill -9", () => {
  test("right after an append returned loses nothing, also to a merge that only reads", async () => {
    await using at = await folder();
    const { child, lines } = elsewhere([at.at("a"), 1, 100, "hold"]);
    for await (const line of lines) if (line.startsWith("added")) child.kill("SIGKILL");
    await using whole = await openStore();
    expect(await whole.merge([at.at("a")])).toBe(100);
    expect(await all(at.at("a"))).toHaveLength(100);
  });

  test("at any time leaves whole appends: all that returned, and perhaps the one that was cut off", async () => {
    await using at = await folder();
    const each = 300;
    const chance = uniform(SEED);
    let least = 0;
    for (let life = 0; life < 6; life++) {
      const { child, lines } = elsewhere([at.at("a"), 100, each]);
      let doomed = false;
      for await (const line of lines) {
        if (line.startsWith("added")) least += each;
        if (!doomed) setTimeout(() => child.kill("SIGKILL"), chance() * 400);
        doomed = true;
      }
      await child.exited;
      expect(child.signalCode).toBe("SIGKILL");
      await using store = await openStore(at.at("a"));
      const { size } = await store.keys();
      expect(size % each).toBe(0);
      expect([least, least + each]).toContain(size);
      least = size;
    }
    expect(least).toBeGreaterThan(0);
  });
});

test("a full disk ends an append cleanly: the store is as it was, and takes what fits", async () => {
  await using at = await folder();
  // No file may be larger than 1 MiB; an append of 200 takes about 200 kB.
  const limited = ["bash", "-c", 'trap "" XFSZ; ulimit -f 1024; exec "$@"', "limited", ...BUN];
  const lines = await said([at.at("a"), 20, 200], limited);
  expect(lines.at(-1)).toStartWith("disk_error");
  const added = lines.filter((line) => line === "added 200").length;
  expect(added).toBeGreaterThan(0);
  expect(added).toBeLessThan(20);
  expect(await all(at.at("a"))).toHaveLength(added * 200);
  const [, smaller] = await said([at.at("a"), 1, 1], limited);
  expect(smaller).toBe("added 1");
  expect(await all(at.at("a"))).toHaveLength(added * 200 + 1);
});

test("a store that another process has open says who, and is free once that one is gone", async () => {
  await using at = await folder();
  const { child, lines } = elsewhere([at.at("a"), 1, 1, "hold"]);
  for await (const line of lines) {
    if (!line.startsWith("added")) continue;
    const fault = await faultOf(() => openStore(at.at("a")));
    expect(fault.code).toBe("disk_error");
    expect(fault.message).toMatch(/is in use, but must be open once at a time: .*lock/);
    expect(fault.message).toContain(String(child.pid));
    await using whole = await openStore();
    expect(await faultOf(() => whole.merge([at.at("a")]))).toMatchObject({ code: "disk_error", found: "in use" });
    child.kill("SIGKILL");
  }
  expect(await all(at.at("a"))).toHaveLength(1);
});

test("Bun and Deno read each other's stores", async () => {
  await using at = await folder();
  expect(await said([at.at("a"), 2, 10], DENO)).toEqual(["open 0", "added 10", "added 10"]);
  expect(await all(at.at("a"))).toHaveLength(20);
  expect(await said([at.at("a"), 1, 5], BUN)).toEqual(["open 20", "added 5"]);
  expect(await said([at.at("a"), 1, 5], DENO)).toEqual(["open 25", "added 5"]);
  const [first] = await all(at.at("a"));
  expect(first).toEqual(result({ key: "0", answer: "0 ".repeat(200) }));
  expect(await readdir(at.path)).toEqual(["a"]);
});
