/** What a model's name means: a path on this machine, or an id on the Hub. */
import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { KvError } from "../../error.ts";
import { onDisk, systemCode } from "./faults.ts";
import { Revision } from "./options.ts";

export type Reference =
  | { readonly kind: "local"; readonly path: string }
  | { readonly kind: "hub"; readonly id: string; readonly revision: string | null };

/**
 * An existing folder or .gguf file is local; what looks like a path must exist; anything else must be "owner/name" or
 * "owner/name@revision".
 *
 * @throws KvError `model_not_found` for a path with nothing there, `unsupported_format` for a file that is no .gguf,
 * `invalid_option` for a malformed id
 */
export async function parseReference(ref: string): Promise<Reference> {
  if (typeof ref !== "string") throw notAReference(ref); // callers from JavaScript
  const given = /^~(?=$|[/\\])/.test(ref) ? join(homedir(), ref.slice(1)) : ref;
  const path = resolve(given);
  // As given: resolved, "owner/.." would be this very folder even where there is no "owner".
  const kind = ref === "" || ref.includes("\0") ? null : await kindOf(given);
  if (kind === "folder" || (kind === "file" && isGguf(path))) return { kind: "local", path };
  if (kind === "file") {
    throw new KvError({
      code: "unsupported_format",
      path: ["model"],
      found: path,
      allowed: "a folder or a .gguf file",
    });
  }
  if (looksLikePath(ref)) {
    throw new KvError({
      code: "model_not_found",
      path: ["model"],
      found: path,
      allowed: "an existing folder or .gguf file, or a Hub id (owner/name)",
    });
  }
  return parseHubId(ref);
}

const looksLikePath = (ref: string): boolean =>
  /^(\.{1,2}$|\.{1,2}[/\\]|~)/.test(ref) || isAbsolute(ref) || /^[a-zA-Z]:[/\\]/.test(ref) || isGguf(ref);

const isGguf = (path: string): boolean => /\.gguf$/i.test(path);

async function kindOf(path: string): Promise<"folder" | "file" | null> {
  try {
    const entry = await onDisk(path, () => stat(path));
    return entry.isDirectory() ? "folder" : "file";
  } catch (thrown) {
    const code = thrown instanceof KvError ? systemCode(thrown.cause) : "";
    if (["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(code)) return null;
    throw thrown;
  }
}

/** One part of an id: what the Hub allows in names. */
const PART = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$/;

function parseHubId(ref: string): Reference {
  const reference = hubReference(ref);
  if (reference === null) throw notAReference(ref);
  return { kind: "hub", ...reference };
}

/** The parts of "owner/name" or "owner/name@revision"; null for anything else. */
export function hubReference(ref: string): { readonly id: string; readonly revision: string | null } | null {
  const [id = "", revision, ...rest] = ref.split("@");
  const parts = id.split("/");
  const named = parts.length === 2 && parts.every((part) => PART.test(part) && !/\.\.|--/.test(part));
  const pinned = revision === undefined || Revision.safeParse(revision).success;
  return named && pinned && rest.length === 0 ? { id, revision: revision ?? null } : null;
}

function notAReference(found: unknown): KvError {
  const allowed = "a folder, a .gguf file, or a Hub id (owner/name or owner/name@revision; letters, digits, . _ -)";
  return new KvError({ code: "invalid_option", path: ["model"], found, allowed });
}
