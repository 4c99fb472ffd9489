/** The working budget: what stays between blocks, and whether that will do. */
import { uniform } from "../allocation/uniform.ts";
import { KvError } from "../error.ts";
import { firstAndLast, type Method } from "../methods/method.ts";
import type { ModelConfig } from "../model/config.ts";

const PATH = ["compressInBlocks", "working"];

/**
 * The method as it chooses between blocks: by the same score and with the same tokens always kept, `working` entries of every
 * layer and KV head. Without a score the last tokens stay, after the first ones that it always keeps.
 *
 * @throws KvError `budget_too_small`
 */
export function betweenBlocks(method: Method, working: number): Method {
  const { name, budget, keep, score, needs } = method;
  const first = keep.first;
  const last = score === null ? Math.max(keep.last, working - first) : Math.max(keep.last, needs.queries);
  if (working < budget) {
    const hint = "what is kept at the end must be held until then";
    const allowed = Number.isFinite(budget) ? `an integer >= ${budget}` : "Infinity";
    throw tooSmall(working, `${allowed} (${name}.budget)`, hint);
  }
  if (score !== null && working <= first + last)
    throw tooSmall(working, `an integer > ${first + last} (always kept)`, "what is always kept would take all of it");
  return { ...method, budget: working, keep: firstAndLast(first, last), allocate: uniform() };
}

/** Probes attend to the whole prompt, and all queries see all keys: neither is there between blocks. @throws KvError `invalid_option` */
export function refuseProbes({ name, needs }: Method): void {
  if (needs.probes.length === 0 && Number.isFinite(needs.queries)) return;
  const allowed = "a method that is content with the last queries and sums over all";
  throw new KvError({ code: "invalid_option", path: ["compressInBlocks", "method"], found: name, allowed });
}

/** Distances to evicted entries cannot be told, so layers that look only so far back must not lose any. */
export function refuseSlidingWindow({ slidingWindow }: ModelConfig, working: number): void {
  const window = slidingWindow.find((tokens) => tokens !== null) ?? null;
  if (window === null) return;
  const allowed = "at least the prompt's length on a model with a sliding window";
  const hint = `its layers look ${window} tokens back, which cannot be counted once entries are missing`;
  throw new KvError({ code: "invalid_option", path: PATH, found: working, allowed, hint });
}

function tooSmall(found: number, allowed: string, hint: string): KvError {
  return new KvError({ code: "budget_too_small", path: PATH, found, allowed, hint });
}
