/** Every decoding policy of ours by name. A policy listed here is proven by the laws (test/laws/decoding.test.ts). */
import { heavyHitters } from "./heavy-hitters.ts";
import type { PolicyFactory } from "./policy.ts";
import { streamingWindow } from "./streaming.ts";
import { tokenOmission } from "./token-omission.ts";

export const policies = {
  streamingwindow: streamingWindow,
  heavyhitters: heavyHitters,
  tokenomission: tokenOmission,
} as const satisfies Record<string, PolicyFactory>;
