/** What the README shows is what runs: its example on the real model, its method under the laws. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { goldenGguf } from "../support/golden-model.ts";
import { assertMethodLaws } from "../support/method-laws.ts";
import { assertNetworkLaws } from "../support/network-laws.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const blocks = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, code]) => code ?? "",
);
// Inside the package, so that "pyramidkv" means this checkout.
const folder = mkdtempSync(join(root, "test/e2e/.readme-"));
afterAll(() => rmSync(folder, { recursive: true }));

function save(block: number): string {
  const path = join(folder, `block${block}.ts`);
  writeFileSync(path, blocks[block] ?? "");
  return path;
}

const model = await goldenGguf();

describe("the README's", () => {
  if (model !== null) {
    test("example runs, and full attention's answer survives in what SnapKV keeps", async () => {
      const child = Bun.spawn([process.execPath, save(0)], { cwd: root, stdout: "pipe", stderr: "inherit" });
      const out = await new Response(child.stdout).text();
      expect(await child.exited).toBe(0);
      expect(out).toMatch(/snapkv .* of .* bytes[\s\S]*pyramidkv[\s\S]*h2o/);
    });
  }

  test("own method obeys the laws", async () => {
    const { sharpPyramid } = await import(save(1));
    await assertMethodLaws(sharpPyramid);
    await assertNetworkLaws(sharpPyramid, 5);
  });
});
