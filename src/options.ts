/** Validates a caller's options: zod says what is wrong, KvError tells it in our words. */
import type { z } from "zod";
import { KvError } from "./error.ts";

/** The options as the schema understands them. @throws KvError `invalid_option` that names the first option at fault */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown, owner: string): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = (issue?.path ?? []).map((part) => (typeof part === "symbol" ? String(part) : part));
  const found = path.reduce<unknown>(
    (inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key],
    value,
  );
  throw new KvError({ code: "invalid_option", path: [owner, ...path], found, allowed: issue?.message ?? "valid" });
}
