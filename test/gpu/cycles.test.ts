/**
 * A thousand models come to one device, run and go, and the process is no larger, nor is anything left on the device; nor do devices that
 * come and go leave anything. In a process of its own each, so that no other test's memory counts.
 */
import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { BLOCKS, type GpuReadings } from "../support/gpu-cycles-process.ts";
import { slope } from "../support/slope.ts";

/** The first blocks let allocators and compiler settle. */
const SETTLED = 4;
/** Bytes of typed arrays that a cycle may add, which are counted exactly. */
const ARRAYS = 50;
/** Half a minute where nothing else runs. */
const PATIENCE = 300_000;

/**
 * Bytes that a cycle may add to the resident memory: a third of what one adds where each keeps what it made, 94 KB and 1.6 MB (2026-11), and
 * ten and five times what is seen of a thousand and of forty that do not.
 */
const RESIDENT = { models: 32_000, devices: 500_000 };

/** Bytes that each of `count` cycles adds to a process, and what is on the device after each block of them. */
async function growth(what: keyof typeof RESIDENT, count: number, keep: "" | "keep" = "") {
  const script = fileURLToPath(new URL("../support/gpu-cycles-process.ts", import.meta.url));
  const child = Bun.spawn([process.execPath, script, what, String(count), keep], { stderr: "inherit" });
  const { resident, arrays, used }: GpuReadings = JSON.parse(await new Response(child.stdout).text());
  const perCycle = (values: readonly number[]) => slope(values.slice(SETTLED)) / (count / BLOCKS);
  return { resident: perCycle(resident), arrays: perCycle(arrays), used };
}

describe("memory stays as it is over", () => {
  for (const [what, count] of [
    ["models", 1000],
    ["devices", 40],
  ] as const)
    test(
      `${count} ${what}`,
      async () => {
        const { resident, arrays, used } = await growth(what, count);
        expect(new Set(used)).toEqual(new Set([0]));
        expect(Math.abs(arrays)).toBeLessThan(ARRAYS);
        expect(resident).toBeLessThan(RESIDENT[what]);
      },
      PATIENCE,
    );
});

test(
  "it would be seen if each cycle kept its model",
  async () => {
    const { arrays, used } = await growth("models", BLOCKS, "keep");
    expect(arrays).toBeGreaterThan(ARRAYS);
    expect(slope(used)).toBeGreaterThan(0);
  },
  PATIENCE,
);

test(
  "it would be seen if each cycle kept its device",
  async () => {
    const { arrays, resident } = await growth("devices", BLOCKS, "keep");
    expect(arrays).toBeGreaterThan(ARRAYS);
    expect(resident).toBeGreaterThan(RESIDENT.devices);
  },
  PATIENCE,
);
