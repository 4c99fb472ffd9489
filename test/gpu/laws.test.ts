/** The laws of engines and caches on the GPU engine: their suites once more, on a software device, with fewer random values. */
import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { driverEnvironment } from "../support/software-gpu.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const MINUTES = 60_000;

/** Shares of the random values that take about a minute or two at most: a step of the tiniest model takes 30 ms there. */
const suites = {
  "golden/tiny": 1,
  "laws/engine": 0.1,
  "laws/batch": 0.05,
  "laws/extend": 0.05,
  "laws/saved-cache": 0.05,
  "laws/network": 0.02,
  "laws/decoding": 0.02,
  "decoding/streaming": 0.02,
  "decoding/every-steps": 0.02,
  "laws/compact": 0.03,
  "laws/minicache": 0.03,
};

async function run(command: readonly string[], env: Readonly<Record<string, string>>) {
  const options = { cwd: root, stdout: "pipe", stderr: "pipe" } as const;
  const engine = { PYRAMIDKV_ENGINE: "webgpu", NO_COLOR: "1" };
  const child = Bun.spawn([process.execPath, ...command], { ...options, env: { ...process.env, ...engine, ...env } });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

describe("on the GPU engine", () => {
  for (const [suite, share] of Object.entries(suites))
    test(
      `${suite} holds`,
      async () => {
        const command = ["test", "--timeout", String(5 * MINUTES), `./test/${suite}.test.ts`];
        const { code, err } = await run(command, { PYRAMIDKV_RUNS: String(share) });
        expect({ code, failed: err.match(/^(\(fail\)|error:).*$/gm) ?? [] }).toEqual({ code: 0, failed: [] });
        expect(err).toMatch(/^ *[1-9]\d* pass$/m);
      },
      10 * MINUTES,
    );

  test(
    "under Deno, whose WebGPU is another, engines give what they give here",
    async () => {
      const command = ["node_modules/deno/bin.cjs", "test", "--allow-all", "test/laws/engine.test.ts"];
      const { code, out, err } = await run(command, { ...(await driverEnvironment()), PYRAMIDKV_RUNS: "0.05" });
      expect({ code, err: code === 0 ? "" : err + out }).toEqual({ code: 0, err: "" });
      expect(out).toMatch(/ok \| [1-9]\d* passed .*\| 0 failed/);
    },
    10 * MINUTES,
  );
});
