/** Suites of laws once more on the GPU engine, on a software device, with fewer random values. */
import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const MINUTES = 60_000;

export async function runOnGpu(command: readonly string[], env: Readonly<Record<string, string>>) {
  const options = { cwd: root, stdout: "pipe", stderr: "pipe" } as const;
  const engine = { PYRAMIDKV_ENGINE: "webgpu", NO_COLOR: "1" };
  const child = Bun.spawn([process.execPath, ...command], { ...options, env: { ...process.env, ...engine, ...env } });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

/**
 * In one process, whose programs all of them share.
 *
 * @param share of the random values, so that they take a minute or two
 * @param suites files under test/ without their ending
 */
export function hold(share: number, ...suites: readonly string[]): void {
  test(
    `on the GPU engine ${suites.join(", ")} hold`,
    async () => {
      const files = suites.map((suite) => `./test/${suite}.test.ts`);
      const command = ["test", "--timeout", String(5 * MINUTES), ...files];
      const { code, err } = await runOnGpu(command, { PYRAMIDKV_RUNS: String(share) });
      expect({ code, failed: err.match(/^(\(fail\)|error:).*$/gm) ?? [] }).toEqual({ code: 0, failed: [] });
      expect(err).toMatch(/^ *[1-9]\d* pass$/m);
      expect(err).toContain(`across ${suites.length} file`);
    },
    10 * MINUTES,
  );
}
