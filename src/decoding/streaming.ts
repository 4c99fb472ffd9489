import { count } from "../methods/options.ts";
import { definePolicy, type PolicyFactory } from "./policy.ts";
import type { Target } from "./target.ts";

export interface StreamingWindowOptions {
  /** Entries kept per KV head, sinks included, or a share of the tokens seen ("25%"); > sinks. */
  readonly budget: Target;
  /** Positions from 0 on that stay as attention sinks, where a head still holds them; default 4. */
  readonly sinks?: number;
}

/**
 * StreamingLLM while decoding: after every token, each layer and head keeps its sinks and the most recent `budget - sinks`.
 *
 * Keys keep the rotation of their true positions, so generation ends with the model's context. The published code counts positions
 * within the cache instead, which lets it go on for ever: another policy, not this one.
 *
 * @see https://arxiv.org/abs/2309.17453
 */
export const streamingWindow: PolicyFactory<StreamingWindowOptions> = definePolicy(
  "streamingwindow",
  { options: { sinks: count(0).default(4) }, budgetAbove: "sinks" },
  ({ sinks }) =>
    ({ positions, excess }) =>
      excess === 1 ? [oldest(positions, sinks)] : allOldest(positions, sinks, excess),
);

/** The place of the lowest position that is no sink: what goes from every head at almost every token, so without a list. */
function oldest(positions: Int32Array, sinks: number): number {
  let found = -1;
  let lowest = Number.POSITIVE_INFINITY;
  for (let place = 0; place < positions.length; place++) {
    const position = positions[place] ?? 0;
    if (position < sinks || position >= lowest) continue;
    found = place;
    lowest = position;
  }
  return found;
}

/** The places of the `count` lowest. */
function allOldest(positions: Int32Array, sinks: number, count: number): readonly number[] {
  const last = positions.filter((position) => position >= sinks).sort()[count - 1] ?? -1;
  return Array.from(positions.keys()).filter((place) => {
    const position = positions[place] ?? 0;
    return position >= sinks && position <= last;
  });
}
