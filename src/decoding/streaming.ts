import { z } from "zod";
import { count } from "../methods/options.ts";
import type { HeldEntries } from "./heads.ts";
import { definePolicy, type PolicyFactory, stateless } from "./policy.ts";
import { refuseSlidingWindow } from "./sliding.ts";
import type { Target } from "./target.ts";

export interface StreamingWindowOptions {
  /** Entries kept per KV head, sinks included, or a share of the tokens seen ("25%"); > sinks. */
  readonly budget: Target;
  /** Positions from 0 on that stay as attention sinks, where a head still holds them; default 4. */
  readonly sinks?: number;
  /**
   * Default true: keys keep the rotation of their "true" positions, and a stream ends with the model's context. "cache": from the first
   * eviction on they are turned as the published code has it, so that what a head holds stands side by side; a stream then goes on for ever.
   */
  readonly positions?: "true" | "cache";
}

const NAME = "streamingwindow";
const position = z.enum(["true", "cache"], '"true" or "cache"').default("true");

/**
 * StreamingLLM while decoding: after every token, each layer and head keeps its sinks and the most recent `budget - sinks`.
 *
 * @formula the lowest position j >= sinks goes.
 * @cost Nothing to speak of; with positions in the cache the sinks' keys are turned by one position a token.
 * @memory b entries per KV head.
 * @helps For streams of which only the last part matters, and in the cache's positions for streams longer than the model's context.
 * @see https://arxiv.org/abs/2309.17453
 */
export const streamingWindow: PolicyFactory<StreamingWindowOptions> = definePolicy(
  NAME,
  { options: { sinks: count(0).default(4), positions: position }, budgetAbove: "sinks" },
  ({ sinks, positions: counted, target }) => {
    const inCache = counted === "cache";
    const choose = ({ positions, excess }: HeldEntries) =>
      excess === 1 ? [oldest(positions, sinks)] : allOldest(positions, sinks, excess);
    return {
      endless: inCache,
      start(_, workplace) {
        if (inCache) refuseSlidingWindow(NAME, workplace);
        return stateless(target, choose, inCache);
      },
    };
  },
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
