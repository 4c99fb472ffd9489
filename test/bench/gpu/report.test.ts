/** What a run tells: every row, whatever becomes of the others, and verdicts only where the numbers say something. */
import { describe, expect, test } from "bun:test";
import { Lab } from "../../../bench/gpu/lab.ts";
import { amount, duration, type Line, percent, told } from "../../../bench/gpu/line.ts";
import { reported } from "../../../bench/gpu/literature.ts";
import { timing } from "../../../bench/gpu/measure.ts";
import type { StoredAs } from "../../../bench/gpu/random-weights.ts";
import { type Measured, reportOf, table, verdict } from "../../../bench/gpu/report.ts";
import { run } from "../../../bench/gpu/run.ts";
import { resized, type Scale, scales } from "../../../bench/gpu/scale.ts";
import { KvError } from "../../../src/error.ts";
import { sharedGpu } from "../../support/software-gpu.ts";

const lab = new Lab(await sharedGpu(), scales.tiny);
const line = (met: boolean, anywhere = false): Line => ({
  ...told("speed | of\nwork", "1 GB/s", {}),
  goal: { text: "more", met, anywhere },
});
const real = { name: "nvidia hopper", software: false, features: lab.gpu.features };
const on = (device: typeof real, rows: readonly Measured[] = []) =>
  reportOf({ gpu: { ...lab.gpu, ...device }, scale: scales.full, stored: "Q4_0", precision: "fp32" }, rows);

describe("rows", () => {
  const broken = new KvError({ code: "out_of_memory", path: ["webgpu", "keys"], found: 9, allowed: "less" });
  const work = {
    first: async () => [line(true)],
    second: async () => Promise.reject(broken),
    third: async () => Promise.reject("no error at all"),
    last: async () => [line(false), line(true)],
  };

  test("are measured and told, also after one that failed", async () => {
    const heard: string[][] = [];
    const measured = await run(lab, work, async (all) => void heard.push(all.map(({ row }) => row)));
    expect(heard).toEqual([["first"], ["first", "second"], ["first", "second", "third"], Object.keys(work)]);
    expect(measured.map((row) => ("fault" in row ? row.fault : row.lines.length))).toEqual([
      1,
      broken.message,
      "no error at all",
      2,
    ]);
  });

  test("are a line each of the table, failures with what went wrong", async () => {
    const text = table(on(real, await run(lab, work, async () => undefined)));
    const lines = text.slice(text.indexOf("| what")).split("\n");
    expect(lines.length).toBe(2 + 5);
    for (const each of lines) expect(each.replaceAll("\\|", "").match(/\|/g)?.length).toBe(7);
    expect(lines[2]).toBe("| speed \\| of work | 1 GB/s |  |  | more | met |");
    expect(lines[3]).toBe(`| second | failed: ${broken.message} |  |  |  | **failed** |`);
    expect(lines[5]).toContain("**not met**");
  });
});

describe("verdicts", () => {
  test("are given on a device, at the goals' sizes", () => {
    expect([line(true), line(false), told("", "", {})].map((each) => verdict(each, on(real)))).toEqual([
      "met",
      "**not met**",
      "",
    ]);
    expect(table(on(real))).not.toMatch(/says nothing|not held/);
  });

  test("are not given on a processor, nor at other sizes or of other weights, but of what needs no clock", () => {
    const processor = { ...real, software: true };
    const at = (scale: Scale, stored: StoredAs = "Q4_0") =>
      reportOf({ gpu: { ...lab.gpu, ...real }, scale, stored, precision: "fp32" }, []);
    const others = [on(processor), at(resized(scales.full, 4, undefined)), at(scales.tiny), at(scales.full, "F16")];
    for (const report of others) {
      expect([line(true), line(false)].map((each) => verdict(each, report))).toEqual([
        "not applicable",
        "not applicable",
      ]);
      expect([line(true, true), line(false, true)].map((each) => verdict(each, report))).toEqual([
        "met",
        "**not met**",
      ]);
      expect(table(report)).toMatch(report.device.software ? /says nothing of speed/ : /not held against them/);
    }
  });
});

test("numbers have three digits and a prefix", () => {
  const rates = [0, 12.34, 999, 1000, 4.312e12, 3e20];
  expect(rates.map((rate) => amount(rate, "B/s"))).toEqual([
    "0.00 B/s",
    "12.3 B/s",
    "999 B/s",
    "1.00 kB/s",
    "4.31 TB/s",
    "300000 PB/s",
  ]);
  expect([3e-6, 0.0123, 61.25].map(duration)).toEqual(["3.0 µs", "12.30 ms", "61.3 s"]);
  expect([0.7, 0.0123].map(percent)).toEqual(["70 %", "1.23 %"]);
});

test("a timing is the median of its samples, with its extremes", () => {
  expect(timing([3, 1, 2], [6, 2, 4], 5)).toEqual({ median: 2, fastest: 1, slowest: 3, wall: 4, together: 5 });
});

test("what was reported is found by the device's name", () => {
  expect(reported("apple m2 pro")?.flops).toBe(2.6e12);
  expect(reported("nvidia hopper NVIDIA H200")).toBeNull();
});
