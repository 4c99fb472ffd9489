import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmod, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { withLock } from "../../src/model/source/lock.ts";
import { hashOf, large, noise } from "../support/hub-server.ts";
import { faultOf, SIZE, stage, temporaryFolder, WEIGHTS } from "./helpers.ts";

setDefaultTimeout(30_000);

const HASH = hashOf(large(noise(SIZE)));

describe("a disk that refuses", () => {
  test("a cache folder that is a file is a disk error that names it", async () => {
    await using at = await stage();
    const cacheDir = join(at.cacheDir, "file");
    await writeFile(cacheDir, "");
    const fault = await faultOf(at.resolve({ cacheDir }));
    expect(fault.code).toBe("disk_error");
    expect(fault.message).toContain(cacheDir);
  });

  test("a cache folder without permission is a disk error", async () => {
    await using at = await stage();
    // Root may write anywhere, save where no folder can be made at all.
    const cacheDir = process.getuid?.() === 0 ? "/proc/pyramidkv" : join(at.cacheDir, "locked");
    if (process.getuid?.() !== 0) await mkdir(cacheDir).then(() => chmod(cacheDir, 0o500));
    expect((await faultOf(at.resolve({ cacheDir }))).code).toBe("disk_error");
  });

  test("a full disk is a disk error, and what did not fit is never taken for whole", async () => {
    await using at = await stage();
    const partial = join(at.repo, "blobs", `${HASH}.pyramidkv.incomplete`);
    await mkdir(join(at.repo, "blobs"), { recursive: true });
    // Every write to this device fails as on a full disk.
    await symlink("/dev/full", partial);
    const fault = await faultOf(at.resolve());
    expect(fault.code).toBe("disk_error");
    expect(fault.message).toContain("ENOSPC");
    expect(await readdir(join(at.repo, "blobs"))).not.toContain(HASH);
    await rm(partial);
    const { path } = await at.resolve();
    expect(await readFile(join(path, WEIGHTS))).toEqual(Buffer.from(noise(SIZE)));
  });
});

describe("a lock", () => {
  test("lets one in at a time", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "lock");
    let inside = 0;
    const work = async () => {
      expect(++inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
    };
    await Promise.all(Array.from({ length: 5 }, () => withLock(path, null, work)));
    expect(await readdir(folder.path)).toEqual([]);
  });

  test.each([
    ["of a process that is gone", `4194999 ${hostname()}\n`, 0],
    ["untouched for long", `1 elsewhere\n`, 120],
    ["that its writer never finished", "", 120],
  ])("%s is taken over, by one of many", async (_name, text, age) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "lock");
    await writeFile(path, text);
    const then = new Date(Date.now() - age * 1_000);
    await utimes(path, then, then);
    let inside = 0;
    const work = async () => {
      expect(++inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside--;
    };
    await Promise.all(Array.from({ length: 4 }, () => withLock(path, null, work)));
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("that another holds is waited for only until the caller gives up", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "lock");
    await writeFile(path, `1 elsewhere\n`);
    expect((await faultOf(withLock(path, AbortSignal.timeout(60), async () => "in"))).code).toBe("aborted");
  });

  test("goes when its work fails", async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, "lock");
    const failing = withLock(path, null, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(await readdir(folder.path)).toEqual([]);
  });
});
