import { expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeRef } from "../../src/model/source/layout.ts";

test("a ref that many callers of one process write at once is written, and leaves nothing beside it", async () => {
  const repo = await mkdtemp(join(tmpdir(), "pyramidkv-ref-"));
  try {
    const commit = "a".repeat(40);
    await Promise.all(Array.from({ length: 40 }, () => writeRef(repo, "main", commit)));
    expect(await readFile(join(repo, "refs/main"), "utf8")).toBe(commit);
    expect(await readdir(join(repo, "refs"))).toEqual(["main"]);
  } finally {
    await rm(repo, { recursive: true });
  }
});
