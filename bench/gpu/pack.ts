/**
 * The GPU benchmark as a folder that runs on a bare Linux machine (x64, glibc 2.36 or later) with a GPU's driver and nothing else: runtime,
 * Dawn, Vulkan's loader, and our sources in one file. Compressed by xz, which travels along: Bun alone is 107 MB, 51 by gzip and 39 by xz.
 */
import { chmod, copyFile, mkdir, mkdtemp, readdir, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { args, command } from "../../recipes/support/command.ts";
import { KvError } from "../../src/error.ts";
import { findLibraries, run } from "./pack/libraries.ts";

const HELP = `bun bench/gpu/pack.ts [options]

Makes a folder that runs bench:gpu on a bare Linux machine: sh DIR/run.sh --help

  --out DIR   made anew (default: bench/gpu/packed)
  --help      this text`;

const root = join(import.meta.dir, "../..");
/** What carriers take. */
const MOST = 64 * 2 ** 20;
const PACKAGE = ["package.json", "index.js", "LICENSE.md", "dist/linux-x64/dawn.node"];

async function main(): Promise<void> {
  const { values } = args({
    out: { type: "string", default: join(root, "bench/gpu/packed") },
    help: { type: "boolean", default: false },
  });
  if (values.help) return console.log(HELP);
  if (process.platform !== "linux" || process.arch !== "x64") throw refused(`${process.platform}-${process.arch}`);
  if (!(await isOurs(values.out))) throw taken(values.out, "a folder of something else");
  const stage = await mkdtemp(join(tmpdir(), "pyramidkv-pack-"));
  try {
    const [parts, folder] = [join(stage, "parts"), join(stage, "folder")];
    await fill(parts);
    await mkdir(join(folder, "xz"), { recursive: true });
    for (const [name, path] of await ownXz()) await copyFile(path, join(folder, "xz", name));
    // Machine code's addresses are made relative first (x86), and the window holds all of Bun.
    const pack = `tar -c --sort=name --owner=0 --group=0 . | xz -T1 --x86 --lzma2=preset=9e,dict=128MiB > "$1"`;
    await run("sh", ["-c", pack, "sh", join(folder, "parts.tar.xz")], { cwd: parts });
    await copyFile(join(import.meta.dir, "pack/run.sh"), join(folder, "run.sh"));
    await chmod(join(folder, "run.sh"), 0o755);
    const bytes = await told(folder);
    if (bytes > MOST) throw tooLarge(bytes);
    await replace(folder, values.out);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** All that is unpacked where it runs. */
async function fill(folder: string): Promise<void> {
  const dawn = join(root, "node_modules/webgpu");
  await mkdir(join(folder, "lib"), { recursive: true });
  await mkdir(join(folder, "node_modules/webgpu/dist/linux-x64"), { recursive: true });
  await copyFile(process.execPath, join(folder, "bun"));
  await chmod(join(folder, "bun"), 0o755);
  for (const file of PACKAGE) await copyFile(join(dawn, file), join(folder, "node_modules/webgpu", file));
  await using libraries = await findLibraries();
  for (const [name, path] of libraries.files) await copyFile(path, join(folder, "lib", name));
  if (libraries.absent.length > 0) console.error(`pack: left out, not on this system: ${libraries.absent.join(", ")}`);
  const entrypoints = [join(root, "bench/gpu/index.ts")];
  const { outputs } = await Bun.build({ entrypoints, target: "bun", minify: true, external: ["webgpu"] });
  const [bundle] = outputs;
  if (bundle === undefined) throw new Error("nothing was bundled");
  await Bun.write(join(folder, "bench.js"), bundle);
}

/** This system's xz and what it loads beside the C library, by name. */
async function ownXz(): Promise<readonly (readonly [string, string])[]> {
  const xz = Bun.which("xz");
  if (xz === null) throw missingXz();
  const { stdout } = await run("ldd", [xz]);
  const loaded = Array.from(
    stdout.matchAll(/^\s*(\S+) => (\/\S+)/gm),
    ([, name = "", path = ""]) => [name, path] as const,
  );
  return [["xz", await realpath(xz)], ...loaded.filter(([name]) => !/^lib(c|pthread|m|dl)\.so/.test(name))];
}

/** Prints what the folder is made of. Gives its bytes. */
async function told(folder: string): Promise<number> {
  let total = 0;
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const found = await stat(join(folder, name));
    if (found.isDirectory()) continue;
    const { size } = found;
    total += size;
    console.log(`${(size / 2 ** 20).toFixed(2).padStart(7)} MiB  ${name}`);
  }
  console.log(`${(total / 2 ** 20).toFixed(2).padStart(7)} MiB  in all, of at most ${MOST / 2 ** 20}`);
  return total;
}

/** The old folder goes when the new one is whole. @throws KvError `disk_error` */
async function replace(folder: string, out: string): Promise<void> {
  try {
    await rm(out, { recursive: true, force: true });
    await mkdir(join(out, "xz"), { recursive: true });
    for (const name of await readdir(folder, { recursive: true }))
      if (!(await stat(join(folder, name))).isDirectory()) await copyFile(join(folder, name), join(out, name));
  } catch (cause) {
    throw taken(out, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Nothing yet, or what was packed before. */
async function isOurs(out: string): Promise<boolean> {
  const there = await readdir(out).catch((): string[] => []);
  return there.length === 0 || there.includes("parts.tar.xz");
}

const refused = (found: string): KvError =>
  new KvError({ code: "device_unavailable", path: ["pack"], found, allowed: "run on linux-x64, which it is for" });

const missingXz = (): KvError =>
  new KvError({ code: "disk_error", path: ["pack", "xz"], found: "absent", allowed: "installed (Debian: xz-utils)" });

const taken = (out: string, found: string, cause?: unknown): KvError =>
  new KvError({ code: "disk_error", path: ["--out"], found, allowed: "a folder of its own", hint: out, cause });

const tooLarge = (bytes: number): KvError =>
  new KvError({ code: "disk_error", path: ["pack"], found: `${bytes} bytes`, allowed: `at most ${MOST} bytes` });

await command("pack", main);
