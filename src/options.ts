/** Validates a caller's options: zod says what is wrong, KvError tells it in our words. */
import { z } from "zod";
import { KvError } from "./error.ts";

/** Schemas of the options that several stages take. */
export const signalOption = z
  .custom<AbortSignal>((value) => value instanceof AbortSignal, { error: "an AbortSignal" })
  .optional(); // z.instanceof would infer never from Deno's types
export const callbackOption = <Callback extends (...args: never[]) => unknown>() =>
  z.custom<Callback>((value) => typeof value === "function", { error: "a function" }).optional();

/**
 * The options as the schema understands them. An option that is undefined counts as left out.
 *
 * @param owner the function whose options they are
 * @throws KvError `invalid_option` that names the first option at fault, unknown ones among them
 */
export function checked<Schema extends z.ZodObject>(schema: Schema, options: unknown, owner: string): z.output<Schema> {
  refuseUnknown(options, Object.keys(schema.shape), owner);
  return parsed(schema, options, owner);
}

/** As `checked`, where unknown options were looked for before. @throws KvError `invalid_option` */
export function parsed<Schema extends z.ZodObject>(schema: Schema, options: unknown, owner: string): z.output<Schema> {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = (issue?.path ?? []).map((part) => (typeof part === "symbol" ? String(part) : part));
  const found = path.reduce<unknown>(
    (inner, key) => (inner instanceof Object ? Reflect.get(inner, key) : undefined),
    options,
  );
  throw invalid([owner, ...path], found, issue?.message ?? "valid");
}

/** So that a misspelt option is not silently left out. @throws KvError `invalid_option` */
export function refuseUnknown(options: unknown, names: readonly string[], owner: string): void {
  const listed = () => new Intl.ListFormat("en").format(names); // half a millisecond, which a decoding step would feel
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw invalid([owner], options, `an object with ${listed()}`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) throw invalid([owner, name], value, `left out: the options of ${owner} are ${listed()}`);
  }
}

export function invalid(path: readonly (string | number)[], found: unknown, allowed: string): KvError {
  const fault = { code: "invalid_option", path, found, allowed } as const;
  // A number in quotes looks right in the message.
  const isQuoted = typeof found === "string" && /^\s*([-+.\d]+|true|false|null)\s*$/.test(found);
  return new KvError(isQuoted ? { ...fault, hint: "this is a string" } : fault);
}
