/**
 * The one error this project throws for anything a caller, a file or a network did.
 *
 * An error is data first (a code to branch on, the option or file at fault, what was found, what is allowed) and a
 * sentence second. Anything else that is thrown is a bug of ours.
 */

/** What went wrong, as a closed list that programs can branch on. */
export type KvErrorCode =
  | "invalid_option"
  | "budget_too_small"
  | "window_too_long"
  | "observation_missing"
  | "empty_prompt"
  | "prompt_too_long"
  | "invalid_token"
  | "disposed"
  | "on_device"
  | "aborted"
  | "wrong_model"
  | "model_not_found"
  | "model_unreachable"
  | "access_denied"
  | "download_failed"
  | "checksum_mismatch"
  | "disk_error"
  | "unsafe_path"
  | "corrupt_file"
  | "unsupported_format"
  | "unsupported_architecture"
  | "invalid_config"
  | "missing_tensor"
  | "wrong_shape"
  | "tokenizer_missing"
  | "template_failed"
  | "engine_failed"
  | "device_unavailable"
  | "device_lost"
  | "out_of_memory"
  | "queue_unreachable"
  | "job_failed";

export interface KvErrorDetails {
  readonly code: KvErrorCode;
  /** Where the fault lies: an option ("snapkv", "budget") or a file and a place in it. */
  readonly path: readonly (string | number)[];
  /** What was there; long values are shortened in the message, never in the data. */
  readonly found: unknown;
  /** What would have been accepted, as the end of "must be ...". */
  readonly allowed: string;
  /** One more clause for people: why, or what to do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class KvError extends Error {
  override readonly name = "KvError";
  readonly code: KvErrorCode;
  readonly path: readonly (string | number)[];
  readonly found: unknown;
  readonly allowed: string;

  constructor({ code, path, found, allowed, hint, cause }: KvErrorDetails) {
    const sentence = `${path.join(".")} is ${show(found)}, but must be ${allowed}${hint === undefined ? "." : `: ${hint}.`}`;
    super(sentence, cause === undefined ? undefined : { cause });
    this.code = code;
    this.path = path;
    this.found = found;
    this.allowed = allowed;
  }
}

const SHOWN = 120;

function show(value: unknown): string {
  if (value === "") return '""';
  const text = typeof value === "string" ? value : (JSON.stringify(value, jsonSafe) ?? String(value));
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** JSON has no NaN, Infinity or bigint, and those are what bad options tend to be. */
function jsonSafe(_key: string, value: unknown): unknown {
  return typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value)) ? String(value) : value;
}
