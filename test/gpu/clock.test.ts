/** Work is timed by the device's clock or by the processor's: what was recorded before does not count, and faults come as typed errors. */
import { describe, expect, test } from "bun:test";
import { faultOf } from "../support/fault.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const counts = {
  name: "counts",
  code: `
    struct Shape { rounds: u32 }
    @group(0) @binding(0) var<uniform> shape: Shape;
    @group(0) @binding(1) var<storage, read_write> total: array<u32>;
    @compute @workgroup_size(1) fn main() { for (var i = 0u; i < shape.rounds; i++) { total[0] = total[0] * 3u + 1u; } }`,
  access: ["write"],
  parameters: true,
} as const;

const LONG = 1_000_000;

for (const [clock, without] of [
  ["the device's clock", []],
  ["the processor's", ["timestamps"]],
] as const) {
  describe(clock, async () => {
    using gpu = await softwareGpu({ without });
    const block = gpu.allocate(16, "total");
    const count = (rounds: number) => gpu.dispatch(gpu.program(counts), [block], [1], Uint32Array.of(rounds));
    await gpu.time(() => count(1)); // which compiles
    const long = await gpu.time(() => count(LONG));
    gpu.write(block, 0, new Uint32Array(4));
    const started = performance.now();
    count(LONG);
    await gpu.read(block, 0, 4);
    const waited = (performance.now() - started) / 1000;
    gpu.write(block, 0, new Uint32Array(4));
    count(LONG);
    const short = await gpu.time(() => count(2));
    const counted = new Uint32Array(await gpu.read(block, 0, 4))[0];
    const broken = await faultOf(() =>
      gpu.time(() => void gpu.program({ ...counts, name: "broken", code: "fn main( {" })),
    );
    const after = await gpu.time(() => count(1));

    test("is the one that was asked for", () => expect(gpu.features.timestamps).toBe(without.length === 0));

    test("counts what is recorded while it runs, and nothing from before", () => {
      expect(4 * long).toBeGreaterThan(waited); // for the same work
      expect(4 * short).toBeLessThan(long); // it is nothing beside it
      let total = 0;
      for (let i = 0; i < LONG + 2; i++) total = (Math.imul(total, 3) + 1) >>> 0;
      expect(counted).toBe(total); // the work was done, all of it
    });

    test("says what was wrong with the work, and goes on", () => {
      expect(broken).toMatchObject({ code: "engine_failed", path: ["webgpu", "broken"] });
      expect(after).toBeGreaterThanOrEqual(0);
    });
  });
}
