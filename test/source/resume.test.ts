import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashOf, large, noise } from "../support/hub-server.ts";
import { contentRequests, faultOf, PATIENCE, SIZE, stage, WEIGHTS } from "./helpers.ts";

setDefaultTimeout(30_000);

const PART = 1_000_000;
const HASH = hashOf(large(noise(SIZE)));

const weightsOf = (folder: string) => readFile(join(folder, WEIGHTS));
const original = Buffer.from(noise(SIZE));

describe("a download", () => {
  test.each(["cut", "stall"] as const)("goes on after a connection was lost in the middle (%s)", async (how) => {
    await using at = await stage();
    at.hub.faults.interrupt = { after: PART, how, times: 1 };
    const { path } = await at.resolve({ patience: { ...PATIENCE, stall: 1_000 } });
    expect(await weightsOf(path)).toEqual(original);
    expect(contentRequests(at.hub).map(({ range, sent }) => [range, sent])).toEqual([
      [null, PART],
      [`bytes=${PART}-${SIZE - 1}`, SIZE - PART],
    ]);
  });

  test("goes on in the next call when this one gave up", async () => {
    await using at = await stage();
    at.hub.faults.interrupt = { after: PART, how: "cut", times: 1 };
    const fault = await faultOf(at.resolve({ patience: { attempts: 1, backoff: 1 } }));
    expect(fault.code).toBe("download_failed");
    expect((await readdir(join(at.repo, "blobs"))).includes(HASH)).toBe(false);
    at.hub.requests = [];
    expect(await weightsOf((await at.resolve()).path)).toEqual(original);
    expect(at.hub.sent(WEIGHTS)).toBe(SIZE - PART);
  });

  test("gives up after some attempts that brought nothing", async () => {
    await using at = await stage();
    at.hub.faults.interrupt = { after: 0, how: "cut", times: 99 };
    const fault = await faultOf(at.resolve());
    expect(fault.code).toBe("download_failed");
    const questions = at.hub.requests.filter(
      ({ url, range, origin }) => url.endsWith(WEIGHTS) && range === "bytes=0-0" && origin === "hub",
    );
    expect(questions).toHaveLength(4);
  });

  test("never gives up while each attempt brings something", async () => {
    await using at = await stage();
    at.hub.faults.interrupt = { after: 100_000, how: "cut", times: 12 };
    expect(await weightsOf((await at.resolve()).path)).toEqual(original);
    expect(at.hub.sent(WEIGHTS)).toBe(SIZE);
  });

  test("starts again where the server serves no parts", async () => {
    await using at = await stage();
    at.hub.faults = { ignoreRange: true, interrupt: { after: PART, how: "cut", times: 1 } };
    expect(await weightsOf((await at.resolve()).path)).toEqual(original);
  });

  test("goes on in another process after the first was killed", async () => {
    await using at = await stage();
    at.hub.faults.interrupt = { after: PART, how: "stall", times: 1 };
    const patient = { ...at.options, patience: { stall: 60_000 } };
    const child = spawn(process.execPath, ["-e", script(patient)], { cwd: import.meta.dir, stdio: "inherit" });
    const partial = join(at.repo, "blobs", `${HASH}.pyramidkv.incomplete`);
    await until(async () => (await stat(partial).catch(() => null))?.size === PART);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.on("close", resolve));
    at.hub.requests = [];
    expect(await weightsOf((await at.resolve()).path)).toEqual(original);
    expect(at.hub.sent(WEIGHTS)).toBe(SIZE - PART);
    expect((await readdir(join(at.repo, "blobs"))).every((name) => /^[0-9a-f]+$/.test(name))).toBe(true);
  });

  test("happens once for all who ask at the same time, in one process and in two", async () => {
    await using at = await stage();
    const child = spawn(process.execPath, ["-e", script(at.options)], { cwd: import.meta.dir, stdio: "inherit" });
    const closed = new Promise((resolve) => child.on("close", resolve));
    const places = await Promise.all([at.resolve(), at.resolve(), at.resolve()]);
    expect(await closed).toBe(0);
    for (const { path } of places) expect(await weightsOf(path)).toEqual(original);
    expect(at.hub.sent(WEIGHTS)).toBe(SIZE);
  });

  test("stops when asked to, keeps what came, and goes on later", async () => {
    await using at = await stage();
    at.hub.faults.interrupt = { after: PART, how: "stall", times: 1 };
    const stop = new AbortController();
    const onProgress = ({ received }: { received: number }) => {
      if (received === PART) stop.abort();
    };
    const fault = await faultOf(at.resolve({ signal: stop.signal, onProgress }));
    expect(fault.code).toBe("aborted");
    at.hub.requests = [];
    await at.resolve();
    expect(at.hub.sent(WEIGHTS)).toBe(SIZE - PART);
    expect((await faultOf(at.resolve({ signal: stop.signal }))).code).toBe("aborted");
  });
});

describe("a file's hash", () => {
  test.each([WEIGHTS, "config.json"])("is checked: wrong bytes of the right length are refused (%s)", async (name) => {
    await using at = await stage();
    const wrong = Uint8Array.from(at.hub.files.get(name)?.content ?? []);
    wrong[0] = (wrong[0] ?? 0) ^ 1;
    at.hub.faults.substitute = new Map([[name, wrong]]);
    expect((await faultOf(at.resolve())).code).toBe("checksum_mismatch");
    const left = await readdir(join(at.repo, "blobs")).catch(() => []);
    expect(left.some((entry) => entry.endsWith("incomplete"))).toBe(false);
    at.hub.faults = {};
    expect(await weightsOf((await at.resolve()).path)).toEqual(original);
  });

  test("also covers what an earlier attempt left: one new start mends it", async () => {
    await using at = await stage();
    at.hub.faults.interrupt = { after: PART, how: "cut", times: 1 };
    await faultOf(at.resolve({ patience: { attempts: 1 } }));
    await writeFile(join(at.repo, "blobs", `${HASH}.pyramidkv.incomplete`), new Uint8Array(PART));
    at.hub.requests = [];
    expect(await weightsOf((await at.resolve()).path)).toEqual(original);
    expect(at.hub.sent(WEIGHTS)).toBe(SIZE - PART + SIZE);
  });

  test("a file that changed between attempts is fetched anew", async () => {
    await using at = await stage();
    at.hub.faults.interrupt = { after: PART, how: "cut", times: 1 };
    await faultOf(at.resolve({ patience: { attempts: 1 } }));
    at.hub.files.set(WEIGHTS, large(noise(SIZE, 2)));
    at.hub.requests = [];
    expect(await weightsOf((await at.resolve()).path)).toEqual(Buffer.from(noise(SIZE, 2)));
    expect(at.hub.sent(WEIGHTS)).toBe(SIZE);
  });

  test("a different length is refused before its bytes come", async () => {
    await using at = await stage();
    at.hub.faults.substitute = new Map([[WEIGHTS, noise(SIZE + 1)]]);
    const fault = await faultOf(at.resolve());
    expect(fault.code).toBe("download_failed");
    expect(at.hub.sent(WEIGHTS)).toBe(0);
  });

  test("a blob of the wrong length in the cache is replaced", async () => {
    await using at = await stage();
    await at.resolve();
    await truncate(join(at.repo, "blobs", HASH), 10);
    expect(await weightsOf((await at.resolve()).path)).toEqual(original);
  });
});

const script = (options: object): string =>
  `import { resolveModel } from "../../src/model/source/index.ts"; await resolveModel("owner/model", ${JSON.stringify(options)});`;

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
