/**
 * A Redis for tests: the machine's own, else Debian's package, unpacked without installing it into a folder that later runs use
 * again. It writes nothing to disk and ends when it is disposed.
 */
import { execFile, spawn } from "node:child_process";
import { access, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

const execute = promisify(execFile);

export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

/** How to start a Redis here, or why that cannot be done. */
export async function findRedis(): Promise<{ command: string; env: NodeJS.ProcessEnv } | { missing: string }> {
  const own = { command: "redis-server", env: process.env };
  if (await execute(own.command, ["--version"]).then(Boolean, () => false)) return own;
  const cache = join(tmpdir(), "pyramidkv-test-redis");
  try {
    if (!(await exists(cache))) await unpack(cache);
    const libraries = (await readdir(cache, { recursive: true })).filter((path) => /\.so(\.\d+)*$/.test(path));
    const folders = new Set(libraries.map((path) => join(cache, path, "..")));
    const env = { ...process.env, LD_LIBRARY_PATH: [...folders].join(":") };
    const unpacked = { command: join(cache, "usr/bin/redis-server"), env };
    await execute(unpacked.command, ["--version"], { env });
    return unpacked;
  } catch (thrown) {
    return { missing: `no redis-server here, and none from apt: ${String(thrown).split("\n")[0]}` };
  }
}

/** Starts a Redis. @param port default: a free one */
export async function startRedis(port?: number): Promise<TestRedis> {
  const found = await findRedis();
  if ("missing" in found) throw new Error(found.missing);
  const at = port ?? (await freePort());
  const options = { port: at, bind: "127.0.0.1", save: "", appendonly: "no", dir: tmpdir() };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(found.command, flags, { env: found.env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (bytes) => {
      said += bytes;
      if (said.includes("Ready to accept connections")) resolve();
    });
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`redis-server ended (${code}): ${said}`)));
  });
  return {
    url: `redis://127.0.0.1:${at}`,
    port: at,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Debian's server with the libraries that it names, in one folder, which is there whole or not at all. */
async function unpack(cache: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), "pyramidkv-redis-"));
  try {
    const files = await download(scratch, []).catch(async () => {
      // A machine whose package lists are not there, or old: they are read into a folder that needs no root.
      const lists = join(scratch, "lists");
      await mkdir(join(lists, "partial"), { recursive: true });
      const options = ["-o", `Dir::State::lists=${lists}`, "-o", `Dir::Cache=${scratch}`];
      await execute("apt-get", [...options, "update"], { timeout: 120_000 });
      return await download(scratch, options);
    });
    const root = join(scratch, "root");
    for (const file of files) await execute("dpkg", ["-x", join(scratch, file), root]);
    await rename(root, cache).catch(async (thrown) => {
      if (!(await exists(cache))) throw thrown; // else another process was first
    });
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function download(folder: string, options: readonly string[]): Promise<string[]> {
  const { stdout } = await execute("apt-cache", [...options, "depends", "redis-tools"]);
  const libraries = [...stdout.matchAll(/^ +Depends: (lib\S+)/gm)].flatMap(([, name]) =>
    name === undefined || name === "libc6" ? [] : [name],
  );
  const packages = ["redis-server", "redis-tools", ...libraries];
  await execute("apt-get", [...options, "download", ...packages], { cwd: folder, timeout: 120_000 });
  return (await readdir(folder)).filter((name) => name.endsWith(".deb"));
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
