/** The compressed document that is asked: made of a text, or loaded. */

import { access, constants } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  compress,
  type KvCache,
  KvError,
  loadCache,
  type Method,
  type Model,
  prefill,
  registry,
  type SavedMethod,
  saveCache,
} from "../../src/index.ts";
import { integer, named } from "../support/command.ts";
import type { ProgressLine } from "../support/progress-line.ts";
import { textOf } from "../support/text-file.ts";

/** Where the context comes from. */
export type Source =
  | { readonly kind: "text"; readonly path: string; readonly method: Method; readonly save: string | undefined }
  | { readonly kind: "saved"; readonly path: string };

interface Values {
  readonly method?: string | undefined;
  readonly budget?: string | undefined;
  readonly save?: string | undefined;
  readonly load?: string | undefined;
}

/** @throws KvError `invalid_option` */
export function contextOptions({ method, budget, save, load }: Values, positionals: readonly string[]) {
  if (load !== undefined) {
    const [extra] = Object.entries({ method, budget, save }).flatMap(([name, value]) => (value ? [name] : []));
    if (extra !== undefined) throw invalid(`--${extra}`, "given with --load", "left out: a saved cache has its own");
    const source: Source = { kind: "saved", path: load };
    return { source, questions: positionals };
  }
  const [path, ...questions] = positionals;
  if (path === undefined) throw invalid("FILE", "left out", "a text to ask about, or --load a saved one");
  const [make = registry.keydiff] = named("--method", method ?? "keydiff", registry);
  const source: Source = { kind: "text", path, method: make({ budget: integer("--budget", budget ?? "256") }), save };
  return { source, questions };
}

export interface Asked extends Disposable {
  readonly cache: KvCache;
  readonly about: { readonly tokens: number; readonly bytes: number; readonly method: SavedMethod };
  /** The same for people. */
  readonly line: string;
}

/** @throws KvError as the stages do; `invalid_option` for a text that cannot be read, `disk_error` for one that cannot be saved */
export async function compressed(model: Model, source: Source, progress: ProgressLine): Promise<Asked> {
  if (source.kind === "saved") {
    const { cache, method } = await loadCache(model, source.path);
    return asked(cache, method, `${source.path}: `);
  }
  const { path, method, save } = source;
  const text = await textOf(path, "FILE", "a text file that can be read");
  if (save !== undefined) await assertWritable(save);
  using context = await prefill(model, text, {
    observe: [method],
    onProgress: (done, total) => progress.show(`prefill ${done} of ${total} tokens`),
  });
  const cache = await compress(context, method);
  if (save !== undefined) await saveCache(cache, save, { model, method });
  const budget = Number.isFinite(method.budget) ? method.budget : null;
  return asked(cache, { name: method.name, budget, options: { ...method.options } }, `${path}: `, context.cache.bytes);
}

function asked(cache: KvCache, method: SavedMethod, opening: string, full?: number): Asked {
  const { length: tokens, bytes } = cache;
  const mib = (count: number) => `${(count / 2 ** 20).toFixed(1)} MiB`;
  const by = method === null ? "" : ` by ${method.name}`;
  const line = `${opening}${tokens} tokens, ${mib(bytes)}${full === undefined ? "" : ` of ${mib(full)}`} kept${by}`;
  return { cache, about: { tokens, bytes, method }, line, [Symbol.dispose]: () => cache[Symbol.dispose]() };
}

/** Before the work, which a wrong path would waste. */
async function assertWritable(path: string): Promise<void> {
  try {
    await access(dirname(resolve(path)), constants.W_OK);
  } catch (cause) {
    throw invalid("--save", path, "in a folder that can be written", cause);
  }
}

const invalid = (option: string, found: string, allowed: string, cause?: unknown): KvError =>
  new KvError({ code: "invalid_option", path: [option], found, allowed, cause });
