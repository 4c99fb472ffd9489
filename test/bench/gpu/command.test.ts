/** The command on a software device: every row at the smallest scale, and what it says to a wrong command line. */
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rows } from "../../../bench/gpu/rows/index.ts";
import { driverEnvironment } from "../../support/software-gpu.ts";

const root = join(import.meta.dir, "../../..");
const PATIENCE = 300_000;

async function bench(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = Bun.spawn([process.execPath, "bench/gpu/index.ts", ...args], {
    cwd: root,
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, out, err };
}

test(
  "measures everything, and writes it down",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "pyramidkv-gpu-"));
    try {
      const file = join(folder, "gpu.json");
      const { code, out, err } = await bench(["--scale", "tiny", "--out", file], await driverEnvironment());
      expect({ code, failed: /failed/.test(out + err) }).toEqual({ code: 0, failed: false });
      expect(out).toContain("says nothing of speed");
      expect(out).not.toMatch(/\b(NaN|Infinity|undefined)\b/);
      const report = await Bun.file(file).json();
      expect(report.rows.map(({ row }: { readonly row: string }) => row)).toEqual(Object.keys(rows));
      expect(report.judged).toBe(false);
      for (const { lines } of report.rows)
        for (const { what, measured, numbers } of lines) {
          expect(out).toContain(`| ${what} | ${measured} |`);
          for (const number of Object.values(numbers)) expect(number).toBeGreaterThanOrEqual(0);
        }
      const memory = out.split("\n").filter((line) => line.startsWith("| memory"));
      expect(memory.map((line) => /\| met \|$/.test(line))).toEqual([true, true]);
      expect(out.match(/not applicable/g)?.length).toBe(6); // attention, gemv, matmul, two methods' compression, one of two batches
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  PATIENCE,
);

test(
  "tells what was measured beside a row that fails",
  async () => {
    const long = ["--scale", "tiny", "--rows", "prefill,limits,memory", "--prompt", "200000"];
    const { code, out, err } = await bench(long, await driverEnvironment());
    expect(code).toBe(1);
    for (const row of ["prefill", "memory"])
      expect(out).toMatch(new RegExp(`^\\| ${row} \\| failed: prompt .*\\*\\*failed`, "m"));
    expect(out).toContain("| copy by a kernel");
    expect(err).toContain("failed: ");
  },
  PATIENCE,
);

test(
  "says in one line what is wrong",
  async () => {
    const driver = await driverEnvironment();
    for (const [args, environment, said] of [
      [["--rows", "nope"], driver, /^bench:gpu: --rows is nope, but must be one of limits, attention, /],
      [["--scale", "huge"], driver, /^bench:gpu: --scale is huge, but must be one of full or tiny\.$/],
      [["--scale", "full"], driver, /^bench:gpu: --scale full is .*SwiftShader.*, but must be on a GPU: /],
      [["--scale", "tiny", "--out", "/nowhere/x.json"], driver, /^bench:gpu: --out is .*\/nowhere\/x.json/],
      [["--scale", "tiny", "--layers", "0"], driver, /^bench:gpu: --layers is 0, but must be an integer >= 1\.$/],
      [
        ["--scale", "tiny"],
        { VK_ICD_FILENAMES: "/nowhere.json" },
        /bench:gpu: webgpu is without an adapter, but must be /,
      ],
    ] as const) {
      const { code, out, err } = await bench(args, environment);
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err.trim()).toMatch(said);
    }
  },
  PATIENCE,
);
