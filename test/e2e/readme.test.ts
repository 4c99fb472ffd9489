/** What the README shows is what runs: its examples and its server on the real model, its method under the laws. */
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

    test("evaluation keeps its results, compares, and draws", async () => {
      const child = Bun.spawn([process.execPath, save(2)], { cwd: folder, stdout: "pipe", stderr: "inherit" });
      const out = await new Response(child.stdout).text();
      expect(await child.exited).toBe(0);
      expect(out).toMatch(/full all 1 1\.00\n/);
      expect(out).toMatch(/pyramidkv 25% /);
      expect(out).toContain("pairs: 3");
      expect(readFileSync(join(folder, "accuracy.svg"), "utf8")).toStartWith("<svg");
    });

    test("server answers while it runs a prompt, and then says what comes of it", async () => {
      const env = { ...process.env, BUN_PORT: "0" };
      const command = [process.execPath, save(3)];
      await using child = Bun.spawn(command, { cwd: root, stdout: "pipe", stderr: "inherit", env });
      const { value } = await child.stdout.getReader().read();
      const url = new TextDecoder().decode(value).trim();
      const events: string[] = [];
      const prompt = `${"The grass is green. The sky is blue. ".repeat(60)}The grass is`;
      const answer = fetch(url, { method: "POST", body: prompt }).then(async (response) => {
        events.push("answer");
        return response.text();
      });
      for (let i = 0; i < 3; i++) events.push(await (await fetch(url)).text());
      expect(await answer).toMatch(/^ green\. The sky is blue/);
      expect(events).toEqual(["alive", "alive", "alive", "answer"]);
    });
  }

  test("own method obeys the laws", async () => {
    const { sharpPyramid } = await import(save(1));
    await assertMethodLaws(sharpPyramid);
    await assertNetworkLaws(sharpPyramid, 5);
  });
});
