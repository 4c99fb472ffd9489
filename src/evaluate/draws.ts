/** Draws for generated examples: equal seeds give equal examples on every machine. */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export interface Draws {
  /** Inclusive. */
  integer(from: number, to: number): number;
  of<T>(list: readonly [T, ...T[]]): T;
  /** Different ones, in random order. */
  some<T>(list: readonly T[], count: number): T[];
}

export function draws(seed: number): Draws {
  const random = xoroshiro128plus(seed);
  const integer = (from: number, to: number) => uniformInt(random, from, to);
  return {
    integer,
    of: (list) => list[integer(0, list.length - 1)] ?? list[0],
    some(list, count) {
      const left = [...list];
      return Array.from({ length: Math.min(count, left.length) }, () =>
        left.splice(integer(0, left.length - 1), 1),
      ).flat();
    },
  };
}
