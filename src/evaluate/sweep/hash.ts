/** Equal data has equal text and equal hashes, in whatever order the names of its objects stand. */
import { createHash } from "node:crypto";

/** SHA-256 in hexadecimal. */
export const hashOf = (data: unknown): string => createHash("sha256").update(canonical(data)).digest("hex");

/** JSON with the names of objects in order. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner instanceof Object && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
