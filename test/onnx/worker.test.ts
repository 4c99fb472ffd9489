/** Sessions in a worker: memory read where it lies, faults as they are on this thread, and an end of its own or of others' making. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { prefill } from "../../src/index.ts";
import { Graph } from "../../src/onnx/graph.ts";
import { type Feed, type Session, type SessionHost, thisThread } from "../../src/onnx/session.ts";
import { openWorker } from "../../src/onnx/worker/index.ts";
import { faultOf } from "../support/fault.ts";
import { tinyModel } from "../support/tiny-model.ts";

/** out = x + y */
function adder() {
  const g = new Graph();
  const [x, y] = [g.input("x", "float32", ["n"]), g.input("y", "float32", ["n"])];
  g.output("out", g.op("Add", [x, y]), "float32", ["n"]);
  return g.finish("adder");
}

/** One element of each type, as it came. */
function echo() {
  const g = new Graph();
  for (const [name, type] of [
    ["f", "float32"],
    ["d", "float64"],
    ["i", "int32"],
    ["l", "int64"],
    ["b", "bool"],
  ] as const) {
    g.output(`${name}.out`, g.op("Identity", [g.input(name, type, ["n", "m"])]), type, ["n", "m"]);
  }
  return g.finish("echo");
}

const floats = (data: Float32Array): Feed => ({ data, dims: [data.length] });
const filled = (length: number, value: number) => new Float32Array(length).fill(value);

async function withWorker(work: (host: SessionHost) => Promise<void>): Promise<void> {
  using host = openWorker();
  await work(host);
}

describe("memory", () => {
  test("of every type and shape goes there and comes back", () =>
    withWorker(async (host) => {
      const session = await host.open(echo());
      const whole = Int32Array.of(9, 8, 7, 6, 5, 4);
      for (const feeds of [
        {
          f: { data: Float32Array.of(1.5, -0, Number.NaN, 1e-40), dims: [2, 2] },
          d: { data: Float64Array.of(1 / 3, 1e-300), dims: [1, 2] },
          i: { data: whole.subarray(1, 5), dims: [4, 1] },
          l: { data: BigInt64Array.of(2n ** 62n, -1n), dims: [1, 2] },
          b: { data: Uint8Array.of(1), dims: [1, 1] },
        },
        {
          f: { data: new Float32Array(0), dims: [0, 0] },
          d: { data: new Float64Array(3).subarray(2), dims: [1, 1] },
          i: { data: new Int32Array(0), dims: [0, 3] },
          l: { data: new BigInt64Array(8).subarray(8), dims: [0, 1] },
          b: { data: new Uint8Array(3), dims: [3, 1] },
        },
      ]) {
        const out = await session.run(feeds, ["f.out", "d.out", "i.out", "l.out", "b.out"]);
        for (const name of ["f", "d", "i", "l", "b"] as const) {
          const { data, dims } = out[`${name}.out`];
          expect({ array: data.constructor, data: [...data] }).toEqual({
            array: feeds[name].data.constructor,
            data: [...feeds[name].data],
          });
          expect([...dims]).toEqual([...feeds[name].dims]);
        }
      }
    }));

  test("is kept and left in its place until the run is over, whoever else lets go of it", () =>
    withWorker(async (host) => {
      const session = await host.open(adder());
      const runs = Array.from({ length: 60 }, (_, i) =>
        session.run({ x: floats(filled(100_000 + i, i)), y: floats(filled(100_000 + i, 1)) }, ["out"]),
      );
      // What was freed would be used again for these.
      for (let i = 0; i < 60; i++) {
        Bun.gc(true);
        filled(100_000 + i, Number.NaN);
      }
      for (const [i, { out }] of (await Promise.all(runs)).entries()) {
        expect(out.data.length).toBe(100_000 + i);
        expect(out.data.every((value) => value === i + 1)).toBe(true);
      }
    }));

  test("that comes to lie where other memory was is read as it is now", () =>
    withWorker(async (host) => {
      const session = await host.open(adder());
      for (let i = 0; i < 200; i++) {
        const length = 20_000 + (i % 3);
        const { out } = await session.run({ x: floats(filled(length, i)), y: floats(filled(length, i)) }, ["out"]);
        expect(out.data.length).toBe(length);
        expect(out.data.every((value) => value === 2 * i)).toBe(true);
        if (i % 20 === 0) Bun.gc(true);
      }
    }));
});

describe("a fault in the worker is the one of this thread:", () => {
  const all = async (host: SessionHost) => {
    const session = await host.open(adder());
    const x = floats(filled(3, 1));
    const faults = [
      await faultOf(() => session.run({ x }, ["out"])),
      await faultOf(() => session.run({ x, y: floats(filled(2, 1)) }, ["out"])),
      await faultOf(() => session.run({ x, y: x }, ["nothing"])),
      await faultOf(() => host.open({ graph: Uint8Array.of(1, 2, 3), weights: [] })),
      await faultOf(() => host.openFile("/nowhere/decoder.onnx")),
    ];
    expect((await session.run({ x, y: x }, ["out"])).out.data).toEqual(filled(3, 2));
    return faults.map(({ name, code, path, found, allowed, message, cause }) => {
      return { name, code, path, found, allowed, message, cause: String(cause) };
    });
  };

  test("its code, path and words, and the session goes on", async () => {
    const expected = await all(thisThread);
    expect(expected.map(({ code }) => code)).toEqual(new Array(5).fill("engine_failed"));
    await withWorker(async (host) => expect(await all(host)).toEqual(expected));
  });
});

const dying = new URL("../support/dying-thread.ts", import.meta.url);

test("what a session is opened with reaches the thread", async () => {
  using host = openWorker(dying);
  for (const options of [{}, { threads: 3, packed: false }]) {
    const { found } = await faultOf(() => host.openFile("some/where", options));
    expect(JSON.parse(String(found))).toMatchObject({ act: "openFile", path: "some/where", options });
  }
});

describe("a worker that ends by itself", () => {
  for (const [name, words] of [
    ["exit", /exit code/],
    ["throw", /a fault of the thread's own/],
  ] as const) {
    test(`(${name}) fails the runs under way and those to come`, async () => {
      using host = openWorker(dying);
      const session: Session = await host.open(adder());
      const feeds = { x: floats(filled(1, 1)), y: floats(filled(1, 1)) };
      const runs = [session.run(feeds, [name]), session.run(feeds, [name])];
      for (const run of runs) {
        const fault = await faultOf(() => run);
        expect([fault.code, fault.path]).toEqual(["engine_failed", ["worker"]]);
      }
      const later = await faultOf(() => session.run(feeds, [name]));
      expect(later.code).toBe("engine_failed");
      expect(later.message).toMatch(words);
      expect((await faultOf(() => host.open(adder()))).code).toBe("engine_failed");
      await session[Symbol.asyncDispose]();
    });
  }

  test("before it has begun: a script that is not there", async () => {
    using host = openWorker(new URL("../support/no-such-thread.ts", import.meta.url));
    expect((await faultOf(() => host.open(adder()))).code).toBe("engine_failed");
  });
});

describe("a disposed worker", () => {
  test("finishes what it was asked, and then refuses", async () => {
    const host = openWorker();
    const session = await host.open(adder());
    const feeds = { x: floats(filled(2, 1)), y: floats(filled(2, 2)) };
    const run = session.run(feeds, ["out"]);
    host[Symbol.dispose]();
    host[Symbol.dispose]();
    expect((await run).out.data).toEqual(filled(2, 3));
    expect((await faultOf(() => session.run(feeds, ["out"]))).code).toBe("disposed");
    await session[Symbol.asyncDispose]();
  });

  test("a released session is refused, the others stay", () =>
    withWorker(async (host) => {
      const [first, second] = [await host.open(adder()), await host.open(adder())];
      const feeds = { x: floats(filled(2, 1)), y: floats(filled(2, 2)) };
      await first[Symbol.asyncDispose]();
      expect((await faultOf(() => first.run(feeds, ["out"]))).code).toBe("engine_failed");
      expect((await second.run(feeds, ["out"])).out.data).toEqual(filled(2, 3));
    }));

  test("leaves no thread: models come and go", async () => {
    const threads = () => readdirSync("/proc/self/task").length;
    const cycle = async () => {
      using model = await tinyModel({ layers: 1 }, 1, { worker: true });
      await prefill(model, Int32Array.of(1, 2, 3));
    };
    /** Once those that are ending have ended. */
    const settled = async (most: number) => {
      for (let i = 0; i < 200 && threads() > most; i++) await new Promise((resolve) => setTimeout(resolve, 25));
      return threads();
    };
    for (let i = 0; i < 5; i++) await cycle();
    const before = threads();
    for (let i = 0; i < 50; i++) await cycle();
    // Bun's own threads come and go by the handful; one left of each model would be 50.
    expect(await settled(before + 20)).toBeLessThanOrEqual(before + 20);
  }, 120_000);

  for (const runtime of [[process.execPath], [process.execPath, "node_modules/deno/bin.cjs", "run", "--allow-all"]]) {
    for (const end of ["dispose", "leave"]) {
      test(`(${end}) keeps no process alive: ${runtime.length === 1 ? "Bun" : "Deno"}`, async () => {
        const cwd = fileURLToPath(new URL("../..", import.meta.url));
        const command = [...runtime, "test/support/worker-process.ts", end];
        const child = Bun.spawn(command, { cwd, stdout: "pipe", stderr: "pipe" });
        const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
        expect({ code: await child.exited, out, err }).toEqual({ code: 0, out: "64\n", err: "" });
      }, 60_000);
    }
  }
});
