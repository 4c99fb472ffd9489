import { describe, expect, test } from "bun:test";
import { replay } from "../../src/generate/replay.ts";

const wait = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

/** 0, 1, ... count - 1, with a record of what was asked of it. */
function counting(count: number, fault?: Error) {
  const record = { made: 0, closed: false };
  async function* source(): AsyncGenerator<number, string> {
    try {
      for (let i = 0; i < count; i++) {
        await wait();
        record.made++;
        yield i;
      }
      if (fault !== undefined) throw fault;
      return "whole";
    } finally {
      record.closed = true;
    }
  }
  return { record, run: replay(source(), () => "left") };
}

async function read(items: AsyncIterable<number>, upTo = Number.POSITIVE_INFINITY): Promise<number[]> {
  const seen: number[] = [];
  for await (const item of items) {
    seen.push(item);
    if (seen.length >= upTo) break;
  }
  return seen;
}

describe("a replay", () => {
  test("gives every reader everything, early and late ones", async () => {
    const { run, record } = counting(5);
    const [first, second, result] = await Promise.all([read(run), read(run), run]);
    expect([first, second, await read(run)]).toEqual([
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4],
    ]);
    expect(result).toBe("whole");
    expect(record).toEqual({ made: 5, closed: true });
  });

  test("runs without readers", async () => {
    const { run, record } = counting(3);
    expect(await run).toBe("whole");
    expect(record.made).toBe(3);
  });

  test("ends, and closes its source, when the last reader leaves", async () => {
    const { run, record } = counting(50);
    expect(await read(run, 2)).toEqual([0, 1]);
    expect(await run).toBe("left");
    expect(record).toEqual({ made: 2, closed: true });
    expect(await read(run)).toEqual([0, 1]);
  });

  test("goes on for the others when one reader leaves", async () => {
    const { run, record } = counting(6);
    const [some, all] = await Promise.all([read(run, 2), read(run)]);
    expect(some).toEqual([0, 1]);
    expect(all).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await run).toBe("whole");
    expect(record.made).toBe(6);
  });

  test("gives a slow reader every item", async () => {
    const { run } = counting(5);
    const seen: number[] = [];
    for await (const item of run) {
      seen.push(item);
      await wait();
      await wait();
    }
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  test("shows a fault to whoever reads or awaits, after the items before it", async () => {
    const fault = new Error("broken");
    const { run } = counting(2, fault);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const item of run) seen.push(item);
    })();
    expect(await Promise.allSettled([reading, run])).toEqual([
      { status: "rejected", reason: fault },
      { status: "rejected", reason: fault },
    ]);
    expect(seen).toEqual([0, 1]);
  });

  test("a fault while the reader is busy is not an unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const note = (fault: unknown) => unhandled.push(fault);
    process.on("unhandledRejection", note);
    const { run, record } = counting(1, new Error("broken"));
    const reading = (async () => {
      for await (const _ of run) {
        while (!record.closed) await wait();
        for (let turns = 0; turns < 5; turns++) await wait(); // time for the runtime to notice
      }
    })();
    expect(await Promise.allSettled([reading])).toMatchObject([{ status: "rejected" }]);
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  test("keeps items that are undefined", async () => {
    async function* source(): AsyncGenerator<undefined, string> {
      yield undefined;
      yield undefined;
      return "whole";
    }
    const seen: undefined[] = [];
    for await (const item of replay(source(), () => "left")) seen.push(item);
    expect(seen).toHaveLength(2);
  });
});
