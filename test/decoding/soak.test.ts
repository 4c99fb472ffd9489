/** A stream of 20,000 tokens in the memory of its first few. In a process of its own, so that no other test's memory counts. */
import { test } from "bun:test";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Soak } from "../support/soak-process.ts";

const STEPS = 20_000;
const BUDGET = 64;
/** Entries of a tail that has just begun. */
const PAGE = 16;
/** How much the median of the last looks at memory may lie above that of the first; the very first fifth is warm-up. */
const GROWTH = 0.02;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

test(`${STEPS} steps with streamingWindow stay in constant memory`, async () => {
  const script = fileURLToPath(new URL("../support/soak-process.ts", import.meta.url));
  const child = Bun.spawn([process.execPath, script, String(STEPS), String(BUDGET)], { stderr: "inherit" });
  const { lengths, cacheBytes, entryBytes, resident }: Soak = JSON.parse(await new Response(child.stdout).text());
  assert.deepEqual(lengths, [BUDGET]);
  assert.deepEqual(cacheBytes, [(BUDGET + PAGE) * entryBytes]);
  const fifth = Math.floor(resident.length / 5);
  const [early, late] = [median(resident.slice(fifth, 2 * fifth)), median(resident.slice(-fifth))];
  const seen = resident.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(" ");
  assert.ok(late < early * (1 + GROWTH), `${seen} MiB`);
});
