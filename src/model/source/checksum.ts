/**
 * Hashes of files on disk, read by parts of 4 MiB.
 *
 * SHA-256 of 94 MB takes 0.08-0.11 s on 2 cores (2026-11). That is why a cached file is hashed again on every load instead of trusting a note beside it.
 */
import { createHash, type Hash } from "node:crypto";
import { open } from "node:fs/promises";

const PART = 4 << 20;

/** SHA-256, in lower-case hex: the name that Git LFS and this project's cache give to a large file. */
export const sha256File = (path: string, signal: AbortSignal | null = null): Promise<string> =>
  feed(path, createHash("sha256"), signal);

/** The object id that git gives to a small file: SHA-1 over a header with its size, then its bytes. */
export const gitBlobId = (path: string, size: number, signal: AbortSignal | null = null): Promise<string> =>
  feed(path, createHash("sha1").update(`blob ${size}\0`), signal);

async function feed(path: string, hash: Hash, signal: AbortSignal | null): Promise<string> {
  await using file = await open(path, "r");
  const part = Buffer.allocUnsafe(PART);
  for (;;) {
    const { bytesRead } = await file.read(part, 0, PART, null);
    if (bytesRead === 0 || signal?.aborted) return hash.digest("hex");
    hash.update(part.subarray(0, bytesRead));
  }
}
