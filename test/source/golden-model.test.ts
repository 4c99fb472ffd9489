import { expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { temporaryFolder } from "./helpers.ts";

setDefaultTimeout(30_000);

/** Asks twice for the GGUF, in a process that can get none. */
async function askInVain(CI: string) {
  await using folder = await temporaryFolder();
  const script = 'import { goldenGguf as g } from "../support/golden-model.ts"; console.log(await g(), await g());';
  const env = { ...process.env, HF_HUB_CACHE: folder.path, HF_HUB_OFFLINE: "1", CI };
  return spawnSync(process.execPath, ["-e", script], { cwd: import.meta.dir, env, encoding: "utf8" });
}

test("a machine that cannot get the golden model is told once which tests are left out and why", async () => {
  const { stdout, stderr, status } = await askInVain("");
  expect(status).toBe(0);
  expect(stdout).toBe("null null\n");
  expect(stderr.match(/LEFT OUT/g)).toHaveLength(1);
  expect(stderr).toContain("offline");
});

test("where CI is set the golden model must be there", async () => {
  const { stderr, status } = await askInVain("1");
  expect(status).not.toBe(0);
  expect(stderr).toContain("model_unreachable");
});
