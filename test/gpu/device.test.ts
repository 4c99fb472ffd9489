/** The device layer: what it refuses comes as a typed error where a result is waited for, and nothing that was freed stays. */
import { afterAll, describe, expect, test } from "bun:test";
import { webgpuEngine } from "../../src/engine/webgpu/index.ts";
import { faultOf } from "../support/fault.ts";
import { randomWeights, tinyConfig } from "../support/random-model.ts";
import { softwareGpu } from "../support/software-gpu.ts";

const gpu = await softwareGpu();
afterAll(() => gpu[Symbol.dispose]());

const adds = {
  name: "adds",
  code: `
    struct Shape { count: u32, by: u32 }
    @group(0) @binding(0) var<uniform> shape: Shape;
    @group(0) @binding(1) var<storage, read_write> numbers: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < shape.count) { numbers[id.x] += shape.by * FACTOR; }
    }`,
  access: ["write"],
  constants: { FACTOR: 3 },
  parameters: true,
} as const;

const numbersOf = async (block: Parameters<typeof gpu.read>[0]) => [...new Uint32Array(await gpu.read(block))];

describe("a device", () => {
  test("runs what was recorded in order, each dispatch with its own parameters, however many there are", async () => {
    using block = gpu.upload(Uint32Array.of(1, 2, 3, 4), "numbers");
    const program = gpu.program(adds);
    for (let i = 0; i < 1200; i++) gpu.dispatch(program, [block], [1], Uint32Array.of(3, i % 3));
    expect(await numbersOf(block)).toEqual([3601, 3602, 3603, 4]);
    gpu.dispatch(program, [block], [0], Uint32Array.of(3, 1)); // no workgroups: nothing
    gpu.write(block, 4, Uint32Array.of(7));
    expect(await numbersOf(block)).toEqual([3601, 7, 3603, 4]);
    expect([...new Uint32Array(await gpu.read(block, 4, 8))]).toEqual([7]);
  });

  test("frees what is let go of, after the work that uses it", async () => {
    const before = gpu.used;
    using target = gpu.allocate(16, "target");
    {
      using source = gpu.upload(Uint32Array.of(5, 6, 7, 8), "source");
      gpu.copy(source, 0, target, 0, 16);
    }
    expect(gpu.used).toBe(before + 16);
    expect(await numbersOf(target)).toEqual([5, 6, 7, 8]);
  });

  test("says what is wrong with a program, with its bindings and its grid", async () => {
    using block = gpu.allocate(16, "block");
    gpu.program({ ...adds, name: "broken", code: "fn main( {" });
    const broken = await faultOf(() => gpu.read(block));
    expect(broken).toMatchObject({ code: "engine_failed", path: ["webgpu", "broken"] });
    expect(await numbersOf(block)).toEqual([0, 0, 0, 0]); // and goes on
    const program = gpu.program(adds);
    const unbound = await faultOf(async () => gpu.dispatch(program, [], [1]));
    expect(unbound).toMatchObject({ code: "engine_failed", found: 0, allowed: "1 buffers" });
    const wide = await faultOf(async () => gpu.dispatch(program, [block], [2 ** 20]));
    expect(wide).toMatchObject({ code: "engine_failed", path: ["webgpu", "adds"] });
  });

  test("says how much was asked for, where that is too much", async () => {
    const fault = await faultOf(async () => gpu.allocate(2 ** 45, "everything"));
    expect(fault).toMatchObject({ code: "out_of_memory", path: ["webgpu", "everything", "bytes"], found: 2 ** 45 });
    expect(fault.allowed).toContain(`${Math.min(gpu.limits.maxBufferSize, gpu.limits.maxStorageBufferBindingSize)}`);
  });

  test("that was disposed is an error, twice is none", async () => {
    const other = await softwareGpu();
    using block = other.allocate(16, "block");
    other[Symbol.dispose]();
    other[Symbol.dispose]();
    expect(await faultOf(() => other.read(block))).toMatchObject({ code: "disposed" });
    expect(await faultOf(async () => other.allocate(16, "more"))).toMatchObject({ code: "disposed" });
  });

  test("does without a feature when told to", async () => {
    using plain = await softwareGpu({ without: ["subgroups", "packedDot"] });
    expect(plain.features).toMatchObject({ subgroups: null, packedDot: false });
  });
});

test("engines that come and go leave nothing on the device", async () => {
  const before = gpu.used;
  const config = tinyConfig({ layers: 2 });
  const lasting = Object.create(gpu, { [Symbol.dispose]: { value: () => undefined } });
  for (let i = 0; i < 20; i++) {
    using engine = await webgpuEngine(config, randomWeights(config, 1), lasting);
    const { logits, entries } = await engine.prefill({
      tokens: Int32Array.of(3, 1, 4, 1, 5),
      chunk: 2,
      lastQueries: 1,
    });
    expect(logits.length).toBe(config.vocabSize);
    expect(gpu.used).toBeGreaterThan(before);
    entries[Symbol.dispose]();
    engine[Symbol.dispose]();
    expect(gpu.used).toBe(before);
    const fault = await faultOf(() => engine.prefill({ tokens: Int32Array.of(1), chunk: 1, lastQueries: 1 }));
    expect(fault).toMatchObject({ code: "disposed" });
  }
}, 60_000);
