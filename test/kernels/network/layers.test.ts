/** What stands between a decoder's products, on the GPU against plain loops. */
import { afterAll, describe, test } from "bun:test";
import fc from "fast-check";
import { addNorm } from "../../../kernels/add-norm/reference.ts";
import { embed } from "../../../kernels/embed/reference.ts";
import { gate } from "../../../kernels/gate/reference.ts";
import { gpuArrays } from "../../../kernels/gpu/arrays.ts";
import { uploadMatrix } from "../../../kernels/gpu/matrix/upload.ts";
import { networkKernels } from "../../../kernels/network.ts";
import { rotate } from "../../../kernels/rotate/reference.ts";
import { normals } from "../../support/arbitraries.ts";
import { uniform } from "../../support/random.ts";
import { holds } from "../../support/seed.ts";
import { softwareGpu } from "../../support/software-gpu.ts";
import { turnsOf } from "../../support/turns.ts";
import { assertClose } from "./close.ts";
import { forms } from "./matrices.ts";

const reference = { addNorm, embed, gate, rotate };

const gpu = await softwareGpu();
const arrays = gpuArrays(gpu);
const kernels = networkKernels(gpu);
afterAll(() => gpu[Symbol.dispose]());

const upTo = (most: number, least = 0) => fc.integer({ min: least, max: most });

describe("on the GPU as in plain loops", () => {
  test("what is added to the residual stream, and its normalised rows", () =>
    holds(
      fc.record({ seed: upTo(1e6), rows: upTo(70), columns: upTo(600), add: fc.boolean(), large: fc.boolean() }),
      async ({ seed, rows, columns, add, large }) => {
        const [before, more] = [normals(seed, rows, columns), add ? normals(seed + 1, rows, columns) : null];
        const scale = normals(seed + 2, columns);
        const epsilon = large ? 0.5 : 1e-6;
        const residual = arrays.of(before, "residual");
        using x = more && arrays.of(more, "x");
        using scales = arrays.of(scale, "scale");
        const out = arrays.empty("normed", rows, columns);
        kernels.addNorm(residual, x, scales, epsilon, out);
        const expected = reference.addNorm(before, more, scale, epsilon);
        assertClose(await arrays.result(residual), expected.residual, 0);
        assertClose(await arrays.result(out), expected.normed, 2e-5);
      },
    ));

  test("queries, keys and values, normalised or not, turned and put into a cache", () =>
    holds(
      fc.record({
        seed: upTo(1e6),
        rows: upTo(70),
        kvHeads: upTo(3, 1),
        group: upTo(3, 1),
        half: upTo(70, 1),
        queryScale: fc.constantFrom(1, 0.25),
        normalised: fc.boolean(),
        watched: fc.boolean(),
        at: upTo(5),
        room: upTo(5),
      }),
      async ({ seed, rows, kvHeads, group, half, queryScale, normalised, watched, at, room }) => {
        const next = uniform(seed);
        const [heads, size] = [kvHeads * group, 2 * half];
        const joint = normals(seed, rows, (heads + 2 * kvHeads) * size);
        const frequencies = Float64Array.from({ length: half }, (_, i) => 2 ** (-i / 4));
        const positions = Array.from({ length: rows }, () => Math.floor(200 * next()));
        const norm = normalised ? { scales: normals(seed + 1, 2, size), epsilon: 1e-3 } : null;
        const expected = reference.rotate(joint, { heads, kvHeads, queryScale }, positions, frequencies, norm);

        using input = arrays.of(joint, "joint");
        using places = arrays.numbers(Uint32Array.from(positions), "positions");
        using turns = arrays.numbers(turnsOf(frequencies, 200), "turns");
        using scales = norm && arrays.of(norm.scales, "scales");
        const queries = arrays.empty("queries", heads, rows, size);
        const unturned = watched ? arrays.empty("unturned", rows, heads * size) : null;
        const caches = [1, 2].map((i) => arrays.of(normals(seed + i, kvHeads, at + rows + room, size), "cache"));
        const [keys, values] = caches;
        if (keys === undefined || values === undefined) throw new Error("no caches");
        const normOnGpu = scales && norm && { scales, epsilon: norm.epsilon };
        const options = { heads, kvHeads, queryScale, positions: places, turns, norm: normOnGpu };
        kernels.rotate(input, options, { queries, unturned, keys, values, at });

        assertClose(await arrays.result(queries), expected.queries, 1e-5);
        if (unturned !== null) assertClose(await arrays.result(unturned), expected.unturned, 1e-5);
        for (const [i, made] of [expected.keys, expected.values].entries()) {
          const cache = normals(seed + 1 + i, kvHeads, at + rows + room, size);
          for (let head = 0; head < kvHeads; head++) {
            const own = made.data.subarray(head * rows * size, (head + 1) * rows * size);
            cache.data.set(own, (head * (at + rows + room) + at) * size);
          }
          const found = caches[i];
          if (found !== undefined) assertClose(await arrays.result(found), cache, 1e-5);
        }
      },
    ));

  test("gates, of any size", () =>
    holds(
      fc.record({
        seed: upTo(1e6),
        rows: upTo(70),
        size: upTo(160),
        factor: fc.constantFrom(1, 10, 100),
        activation: fc.constantFrom("silu", "gelu-tanh"),
      }),
      async ({ seed, rows, size, factor, activation }) => {
        const drawn = normals(seed, rows, 2 * size);
        const joint = { ...drawn, data: drawn.data.map((x) => x * factor) };
        using input = arrays.of(joint, "joint");
        const out = arrays.empty("gated", rows, size);
        kernels.gate(input, activation, out);
        assertClose(await arrays.result(out), reference.gate(joint, activation), 1e-5 * factor ** 2);
      },
    ));

  test("gates of more numbers than a dimension has workgroups for", async () => {
    const joint = { data: Float32Array.from({ length: 2 * 8_400_000 }, (_, i) => (i % 5) - 2), dims: [3, 5_600_000] };
    using input = arrays.of(joint, "joint");
    const out = arrays.empty("gated", 3, 2_800_000);
    kernels.gate(input, "silu", out);
    assertClose(await arrays.result(out), reference.gate(joint, "silu"), 1e-5);
  });

  test("rows of an embedding table, however it is stored and in however many buffers", () =>
    holds(
      fc.record({
        seed: upTo(1e6),
        form: fc.constantFrom<keyof typeof forms>("F32", "F16", "Q8_0", "Q4_0", "Q4_1"),
        count: upTo(70),
        vocabulary: upTo(90, 1),
        columns: upTo(160),
        scale: fc.constantFrom(1, 12.5),
        most: fc.constantFrom(1, 700, 2 ** 20),
      }),
      async ({ seed, form, count, vocabulary, columns: about, scale, most }) => {
        const next = uniform(seed);
        const { step, make } = forms[form];
        const columns = step * Math.floor(about / step);
        const { source, values } = make(seed, vocabulary, columns);
        const tokens = Array.from({ length: count }, () => Math.floor(vocabulary * next()));
        using table = uploadMatrix(gpu, "table", [source], most);
        using ids = arrays.numbers(Uint32Array.from(tokens), "tokens");
        const out = arrays.empty("embedded", count, columns);
        kernels.embed(ids, table, scale, out);
        assertClose(await arrays.result(out), reference.embed(tokens, values, scale), 1e-4);
      },
    ));
});
