import { count } from "../methods/options.ts";
import { definePolicy, type PolicyFactory } from "./policy.ts";

export interface StreamingWindowOptions {
  /** Entries kept per KV head, sinks included; > sinks. */
  readonly budget: number;
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
  ({ budget, sinks }) =>
    ({ positions }) => {
      const last = oldest(positions, sinks, positions.length - budget);
      return places(positions, (position) => position >= sinks && position <= last);
    },
);

/** The `rank`-th lowest position that is no sink. Usually the lowest of all, in every head at every token: so that does not sort. */
function oldest(positions: Int32Array, sinks: number, rank: number): number {
  if (rank > 1) return positions.filter((position) => position >= sinks).sort()[rank - 1] ?? -1;
  let lowest = Number.POSITIVE_INFINITY;
  for (const position of positions) if (position >= sinks && position < lowest) lowest = position;
  return lowest;
}

function places(positions: Int32Array, test: (position: number) => boolean): readonly number[] {
  const found: number[] = [];
  for (const [place, position] of positions.entries()) if (test(position)) found.push(place);
  return found;
}
