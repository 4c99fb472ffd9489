/** What a Hub repository holds, and which of it a model needs. Pure: entries in, decisions out. */
import { z } from "zod";
import { KvError } from "../../error.ts";
import { safeFileName, safeRelativePath } from "./safe-name.ts";

export interface RemoteFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 for large files (64 hex digits), git's blob id for small ones (40): also the file's name in the cache. */
  readonly hash: string;
}

const Hash = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, "40 or 64 hex digits");
const Size = z.int().min(0);
const Entry = z.object({
  type: z.string(),
  path: z.string(),
  size: Size.default(0),
  oid: Hash,
  lfs: z.object({ oid: Hash.length(64), size: Size }).optional(),
});

/**
 * An entry of the listing, checked; null for folders.
 *
 * @throws KvError `unsafe_path`, or `download_failed` for something that is no entry
 */
export function remoteFile(entry: unknown, source: string): RemoteFile | null {
  const { data, error } = Entry.safeParse(entry);
  if (data === undefined) {
    const issue = error.issues[0];
    throw new KvError({
      code: "download_failed",
      path: [source, "listing"],
      found: entry,
      allowed: `an entry with ${issue?.path.join(".") ?? "fields"}: ${issue?.message ?? ""}`,
    });
  }
  const path = safeRelativePath(data.path, source);
  if (data.type !== "file") return null;
  return { path, size: data.lfs?.size ?? data.size, hash: data.lfs?.oid ?? data.oid };
}

/** Everything small that says what the weights mean; taken where it exists. */
const DESCRIPTIONS: ReadonlySet<string> = new Set([
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "special_tokens_map.json",
]);

export const SINGLE = "model.safetensors";
export const INDEX = "model.safetensors.index.json";

/** Larger than any index seen (1 MB for 400 GB of weights), small enough to be read whole. */
const INDEX_LIMIT = 64 << 20;

export type Needed =
  | { readonly kind: "safetensors"; readonly files: readonly RemoteFile[] }
  /** `files` are those known so far; the index names the rest. */
  | { readonly kind: "sharded"; readonly files: readonly RemoteFile[]; readonly index: RemoteFile }
  | { readonly kind: "gguf"; readonly file: RemoteFile };

/**
 * The files to have: safetensors with their descriptions, else the one GGUF.
 *
 * @throws KvError `unsupported_format`, which says what was there instead
 */
export function neededFiles(files: readonly RemoteFile[], weights: "any" | "gguf", source: string): Needed {
  const descriptions = files.filter(({ path }) => DESCRIPTIONS.has(path));
  const single = files.find(({ path }) => path === SINGLE);
  const index = files.find(({ path }) => path === INDEX);
  if (weights === "any" && single) return { kind: "safetensors", files: [...descriptions, single] };
  if (weights === "any" && index && index.size <= INDEX_LIMIT) return { kind: "sharded", files: descriptions, index };
  const [gguf, ...others] = files.filter(({ path }) => /\.gguf$/i.test(path));
  if (gguf && others.length === 0) return { kind: "gguf", file: gguf };
  throw new KvError({
    code: "unsupported_format",
    path: [source],
    found: files.map(({ path }) => path),
    allowed:
      weights === "any"
        ? `a model with ${SINGLE}, ${INDEX} or exactly one .gguf file`
        : "a model with exactly one .gguf file",
    ...(gguf && { hint: `it has ${others.length + 1} .gguf files: download one and give its path` }),
  });
}

const ShardIndex = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * The shards that an index names, each once: plain names only.
 *
 * @throws KvError `corrupt_file`, `unsafe_path`
 */
export function shardNames(text: string, source: string): readonly string[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const { data } = ShardIndex.safeParse(json);
  if (data === undefined) {
    throw new KvError({
      code: "corrupt_file",
      path: [source, INDEX],
      found: text,
      allowed: "JSON with a weight_map of tensor to file",
    });
  }
  const names = [...new Set(Object.values(data.weight_map))].map((name) => safeFileName(name, `${source}/${INDEX}`));
  const odd = names.find((name) => !name.endsWith(".safetensors"));
  if (odd !== undefined || names.length === 0) {
    throw new KvError({
      code: "corrupt_file",
      path: [source, INDEX],
      found: odd ?? "no shards",
      allowed: "names of .safetensors files",
    });
  }
  return names;
}
