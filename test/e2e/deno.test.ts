/** The same sources under Deno: the law suites of methods, networks and workers, and the quickstart on the real model. */
import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { goldenGguf } from "../support/golden-model.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs Deno, which comes as an npm package, in the project's folder. */
async function deno(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const command = [process.execPath, "node_modules/deno/bin.cjs", ...args];
  const child = Bun.spawn(command, {
    cwd: root,
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

const path = await goldenGguf();

describe("under Deno", () => {
  test("the laws hold", async () => {
    // A few values of each law: what is to be seen is that the sources run, and these suites take minutes.
    const { code, out, err } = await deno(
      ["test", "--allow-all", "test/laws/selection.test.ts", "test/laws/network.test.ts"],
      { PYRAMIDKV_RUNS: "0.1" },
    );
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toMatch(/ok \| [1-9]\d* passed .*\| 0 failed/);
  }, 400_000);

  test("a worker changes nothing", async () => {
    // Unchecked, because Deno would check the thread's types at each of its starts.
    const { code, out, err } = await deno(["test", "--allow-all", "--no-check", "test/laws/worker.test.ts"]);
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toMatch(/ok \| 2 passed .*\| 0 failed/);
  });

  if (path !== null) {
    test("the quickstart answers", async () => {
      const { code, out, err } = await deno([
        "run",
        "--allow-all",
        "recipes/quickstart.ts",
        "--model",
        path,
        "--budgets",
        "128",
      ]);
      expect({ code, err }).toMatchObject({ code: 0 });
      expect(out).toMatch(/full .* eat a custard tart.* right/);
      expect(out).toMatch(/deno \d/);
    });
  }
});
