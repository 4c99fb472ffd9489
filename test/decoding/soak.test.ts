/** Streams of thousands of tokens in the memory of their first few. In a process of its own, so that no other test's memory counts. */
import { test } from "bun:test";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Soak } from "../support/soak-process.ts";

const BUDGET = 64;
/** Entries of a tail that has just begun. */
const PAGE = 16;
/** How much the median of the last looks at memory may lie above that of the first; the very first fifth is warm-up. */
const GROWTH = 0.03;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const POLICIES = [
  { policy: "streamingWindow", steps: 20_000, every: 1 },
  { policy: "streamingWindow, positions in the cache", steps: 5_000, every: 1 },
  { policy: "heavyHitters", steps: 5_000, every: 1 },
  { policy: "tokenOmission", steps: 5_000, every: 1 },
  { policy: "everySteps of snapKV", steps: 5_000, every: 10 },
] as const;

test.each(POLICIES)("$policy: $steps steps in constant memory", async ({ policy, steps, every }) => {
  const script = fileURLToPath(new URL("../support/soak-process.ts", import.meta.url));
  const child = Bun.spawn([process.execPath, script, policy, String(steps), String(BUDGET)], { stderr: "inherit" });
  const { lengths, cacheBytes, entryBytes, resident }: Soak = JSON.parse(await new Response(child.stdout).text());
  assert.deepEqual(lengths, [BUDGET]);
  // Until the first eviction the whole prompt is held; the tail is a page where a token at a time comes.
  const most = Math.max(...cacheBytes.slice(every === 1 ? 0 : 1));
  assert.equal(most, (BUDGET + PAGE) * entryBytes);
  const fifth = Math.floor(resident.length / 5);
  const [early, late] = [median(resident.slice(fifth, 2 * fifth)), median(resident.slice(-fifth))];
  const seen = resident.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(" ");
  assert.ok(late < early * (1 + GROWTH), `${seen} MiB`);
});
