/** Programs that come as compressed archives in npm's `@sparticuz/chromium`. */
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

const VERSION = "153.0.0";

/**
 * A folder of what `fill` makes of the archives, unpacked by the first that asks; several processes may ask at once.
 *
 * @param name of the folder, among those for temporary files
 */
export async function unpacked(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(tmpdir(), `pyramidkv-${name}-${VERSION}`);
  if (existsSync(folder)) return folder;
  const own = `${folder}.${process.pid}`;
  await mkdir(own, { recursive: true });
  await fill(own);
  await rename(own, folder).catch(() => rm(own, { recursive: true, force: true }));
  return folder;
}

/** One of the package's files, decompressed. */
export async function archived(name: string): Promise<Uint8Array> {
  const folder = join(dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium"))), "../bin");
  return brotliDecompressSync(await readFile(join(folder, name)));
}
