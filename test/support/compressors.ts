/** Registered methods that short prompts and small budgets will do for: what laws about caches, whatever compressed them, draw from. */
import { type MethodFactory, registry } from "../../src/index.ts";
import { smallestBudget } from "./method-laws.ts";

/** Every one of them takes this budget. */
export const LEAST = 9;

export const compressors: Readonly<Record<string, MethodFactory>> = Object.fromEntries(
  Object.entries<MethodFactory>(registry).filter(([, method]) => smallestBudget(method) <= LEAST),
);
