import { z } from "zod";
import type { Bits } from "../cache/compact/group.ts";
import type { Method, MethodFactory } from "./method.ts";
import { count, parseOptions } from "./options.ts";
import { refuseForms, wrapped } from "./wrapped.ts";

export interface QuantiseOptions {
  /** Of each number of a key or value: 8, 4 or 2. */
  readonly bits: Bits;
  /** Newest entries of each KV head that stay in fp32, at least; an integer >= 1; default 32. */
  readonly recent?: number;
}

export const quantiseShape = {
  bits: z.union([z.literal(8), z.literal(4), z.literal(2)], { error: "8, 4 or 2" }),
  recent: count(1).default(32),
};

/**
 * KIVI on top of any method: keeps what the method keeps, and quantises it as `quantise` does, but for the newest entries.
 *
 * @formula x ~ code * s + min, s = (max - min) / (2^bits - 1), code = round((x - min) / s), over groups of 32: of k[c] over 32 entries of a head,
 *   of v[j] over 32 channels.
 * @cost one pass over what is kept, 0.5 s of CPU for 1,024 entries of SmolLM2-135M; a step takes 40 ms rather than 30 at 128 entries, 51 to 56
 *   rather than 33 at 1,024, because it unpacks them (1 thread, 2026-11).
 * @memory 31 % (8 bits), 19 % (4) or 13 % (2) of fp32's, beyond the newest `recent` entries (and up to 63 more) of each head.
 * @helps where budgets are large beside `recent`: at 128 entries a quarter or more is not quantised. Of 8 needles of 500 tokens, 8 and 4 bits
 *   lost none (full 8, TOVA at 128 4, SnapKV at 128 2, each with fp32 and with either), 2 bits some: 5, 1 and 1 (SmolLM2-135M, 2026-11-22).
 * @see https://arxiv.org/abs/2402.02750
 */
export function quantised(method: Method, options: QuantiseOptions): Method;
export function quantised<Options>(method: MethodFactory<Options>, options: QuantiseOptions): MethodFactory<Options>;
export function quantised<Options>(
  method: Method | MethodFactory<Options>,
  options: QuantiseOptions,
): Method | MethodFactory<Options> {
  const { bits, recent } = parseOptions("quantised", quantiseShape, options);
  return wrapped(method, (inner) => {
    refuseForms("quantised", inner, ["crossLayer"]);
    const { form } = inner;
    return {
      ...inner,
      name: `${inner.name}-int${bits}`,
      options: { ...inner.options, quantised: { bits, recent } },
      form: { bits, recent: Math.max(recent, form?.recent ?? 0), channels: form?.channels ?? null },
    };
  });
}
