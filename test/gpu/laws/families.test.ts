/** The goldens of all families on the GPU engine; and under Deno, whose WebGPU is another, an engine's laws. */
import { expect, test } from "bun:test";
import { hold, runOnGpu } from "../../support/gpu-suite.ts";
import { driverEnvironment } from "../../support/software-gpu.ts";

hold(1, "golden/tiny");

test("under Deno engines give what they give here", async () => {
  const command = ["node_modules/deno/bin.cjs", "test", "--allow-all", "test/laws/engine.test.ts"];
  const { code, out, err } = await runOnGpu(command, { ...(await driverEnvironment()), PYRAMIDKV_RUNS: "0.05" });
  expect({ code, err: code === 0 ? "" : err + out }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/ok \| [1-9]\d* passed .*\| 0 failed/);
}, 600_000);
