import type { PromptEntries } from "../cache/prompt-entries.ts";
import { KvError } from "../error.ts";
import type { ModelConfig } from "../model/config.ts";

/**
 * Prefill counts a sliding window's keys by index, which is their distance only while none is missing.
 *
 * @throws KvError `invalid_option`
 */
export function refuseGaps({ slidingWindow }: ModelConfig, { length, position }: PromptEntries): void {
  if (length === position || slidingWindow.every((window) => window === null)) return;
  throw new KvError({
    code: "invalid_option",
    path: ["prefill", "cache"],
    found: `${length} of ${position} earlier entries`,
    allowed: "all of them, on a model with a sliding window",
  });
}
