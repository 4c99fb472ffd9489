/** Every decoding policy of ours by name. A policy listed here is proven by the laws (test/laws/decoding.test.ts). */
import type { PolicyFactory } from "./policy.ts";
import { streamingWindow } from "./streaming.ts";

export const policies = { streamingwindow: streamingWindow } as const satisfies Record<string, PolicyFactory>;
