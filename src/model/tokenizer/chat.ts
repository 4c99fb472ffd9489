/** Chat templates: Jinja from a model's files, rendered within bounds that no template can leave. */

import { Environment, parse, tokenize } from "@huggingface/jinja";
import { KvError } from "../../error.ts";
import { BoundedInterpreter } from "./chat-bounds.ts";

export interface ChatMessage {
  /** "system", "user", "assistant", or what the template knows besides. */
  readonly role: string;
  readonly content: string;
  readonly [field: string]: unknown;
}

export interface ChatTemplate {
  /** Jinja, as the model's files have it. */
  readonly source: string;
  /** `bos_token`, `eos_token` and their like, as text. */
  readonly specialTokens: Readonly<Record<string, string>>;
}

/** Real ones have at most some tens of thousands of characters. */
const maxTemplate = 200_000;
/** The library's lexer takes time quadratic in a run of blanks. */
const longBlank = /\s{1000}/;
const maxRange = 10_000;

/**
 * The conversation as the model was taught to read it, special tokens included.
 *
 * @param addGenerationPrompt ends with the opening of the assistant's turn
 * @throws KvError `template_failed`: a syntax error, an exception that the template raises, or a bound exceeded
 */
export function renderChat(
  { source, specialTokens }: ChatTemplate,
  messages: readonly ChatMessage[],
  addGenerationPrompt: boolean,
): string {
  if (source.length > maxTemplate || longBlank.test(source)) {
    throw failed(
      `${source.length} characters`,
      `at most ${maxTemplate} characters, without a thousand blanks in a row`,
    );
  }
  try {
    const program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
    const variables = { ...specialTokens, messages, add_generation_prompt: addGenerationPrompt };
    const interpreter = new BoundedInterpreter(scopeWith(variables), JSON.stringify(messages).length);
    return String(interpreter.run(program).value);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw failed(found, "a template that renders, within bounded time and memory", cause);
  }
}

function scopeWith(variables: Readonly<Record<string, unknown>>): Environment {
  const scope = new Environment();
  const globals = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    range,
    raise_exception,
    strftime_now: (format: unknown) => strftime(String(format), new Date()),
  };
  for (const [name, value] of Object.entries({ ...globals, ...variables })) scope.set(name, value);
  return scope;
}

function raise_exception(message: unknown): never {
  throw new Error(String(message));
}

/** Python's `range`, of at most `maxRange` integers. */
function range(...args: readonly unknown[]): number[] {
  const [first = Number.NaN, second, step = 1] = args.map(Number);
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  // Written so that NaN, which a step of 0 or an argument that is no number gives, fails too.
  if (!(step !== 0 && count <= maxRange))
    throw new RangeError(`range(${args.join(", ")}), of more than ${maxRange} items`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

/** The directives of Python's `strftime` that date a system prompt; others stay as they are. */
function strftime(format: string, date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const word = (style: Intl.DateTimeFormatOptions) => date.toLocaleDateString("en-US", style);
  const directives: Readonly<Record<string, () => string>> = {
    "%Y": () => String(date.getFullYear()),
    "%y": () => two(date.getFullYear() % 100),
    "%m": () => two(date.getMonth() + 1),
    "%d": () => two(date.getDate()),
    "%H": () => two(date.getHours()),
    "%M": () => two(date.getMinutes()),
    "%S": () => two(date.getSeconds()),
    "%b": () => word({ month: "short" }),
    "%B": () => word({ month: "long" }),
    "%a": () => word({ weekday: "short" }),
    "%A": () => word({ weekday: "long" }),
    "%%": () => "%",
  };
  return format.replace(/%./g, (directive) => directives[directive]?.() ?? directive);
}

const failed = (found: string, allowed: string, cause?: unknown): KvError =>
  new KvError({ code: "template_failed", path: ["chat_template"], found, allowed, cause });
