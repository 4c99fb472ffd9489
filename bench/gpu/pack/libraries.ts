/** Libraries that a bare machine may lack: from this system, or from Debian's packages. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { KvError } from "../../../src/error.ts";

export const run = promisify(execFile);

interface Library {
  readonly file: string;
  /** Debian's package. */
  readonly in: string;
  /** Whether nothing runs without it; the others are what NVIDIA's driver asks for on some machines. */
  readonly needed: boolean;
}

const LIBRARIES: readonly Library[] = [
  { file: "libvulkan.so.1", in: "libvulkan1", needed: true },
  { file: "libstdc++.so.6", in: "libstdc++6", needed: true },
  { file: "libgcc_s.so.1", in: "libgcc-s1", needed: true },
  { file: "libGLdispatch.so.0", in: "libglvnd0", needed: false },
  { file: "libX11.so.6", in: "libx11-6", needed: false },
  { file: "libXext.so.6", in: "libxext6", needed: false },
  { file: "libxcb.so.1", in: "libxcb1", needed: false },
  { file: "libXau.so.6", in: "libxau6", needed: false },
  { file: "libXdmcp.so.6", in: "libxdmcp6", needed: false },
  { file: "libbsd.so.0", in: "libbsd0", needed: false },
  { file: "libmd.so.0", in: "libmd0", needed: false },
];

export interface Found extends AsyncDisposable {
  /** Where each is, by its name. */
  readonly files: ReadonlyMap<string, string>;
  /** Those that are not needed everywhere, and were not found. */
  readonly absent: readonly string[];
}

/** @throws KvError `disk_error` that names the first that nothing runs without and nobody has */
export async function findLibraries(): Promise<Found> {
  const folder = await mkdtemp(join(tmpdir(), "pyramidkv-libraries-"));
  const clear = () => rm(folder, { recursive: true, force: true });
  const files = new Map<string, string>();
  const absent: string[] = [];
  try {
    const cache = await systemLibraries();
    for (const { file, in: name, needed } of LIBRARIES) {
      const path = cache.get(file) ?? (await fromPackage(name, file, folder));
      if (path !== null) files.set(file, path);
      else if (needed) throw missing(file, name);
      else absent.push(file);
    }
    return { files, absent, [Symbol.asyncDispose]: clear };
  } catch (fault) {
    await clear();
    throw fault;
  }
}

const missing = (file: string, name: string): KvError =>
  new KvError({
    code: "disk_error",
    path: ["pack", file],
    found: "absent",
    allowed: `on this system, or in Debian's package ${name}`,
    hint: `install ${name}, or run \`apt-get update\` so that it can be downloaded`,
  });

/** What the loader knows, of this processor's. */
async function systemLibraries(): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await run("/sbin/ldconfig", ["-p"]).catch(() => ({ stdout: "" }));
  return new Map(
    Array.from(stdout.matchAll(/^\s*(\S+) \(.*x86-64.*\) => (.+)$/gm), ([, name = "", path = ""]) => [name, path]),
  );
}

async function fromPackage(name: string, file: string, folder: string): Promise<string | null> {
  const own = join(folder, name);
  try {
    await run("apt-get", ["download", "-qq", name], { cwd: folder });
    const archive = (await readdir(folder)).find((entry) => entry.startsWith(`${name}_`)) ?? "";
    await run("dpkg-deb", ["-x", join(folder, archive), own]);
    const path = (await readdir(own, { recursive: true })).find((entry) => entry.endsWith(`/${file}`));
    return path === undefined ? null : join(own, path);
  } catch {
    return null; // no such tool, no network, no such package: all the same to who asks
  }
}
