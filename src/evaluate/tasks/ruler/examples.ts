/** What RULER's tasks have in common: a length of prompt and answer together, and as large a haystack as fits. */
import type { Draws } from "../../draws.ts";
import type { Example, Reader } from "../../task.ts";
import { drawsOf } from "../example-draws.ts";
import { examples, length } from "../options.ts";
import { fitted, type Room } from "../room.ts";

export const rulerOptions = { length: length(4096), examples: examples(20) };

/** The same `count` times. */
export const repeated = <T>(value: T, count: number): readonly T[] => Array.from({ length: count }, () => value);

/** How one example is made. */
export interface Recipe {
  /** Sizes of the haystack, in whatever it is counted; default: no limit. */
  readonly least: number;
  readonly most?: number;
  /** The prompt with a haystack of some size. Draws begin anew for every size. */
  compose(size: number, random: Draws): Pick<Example, "answers"> & { readonly prompt: string };
}

/** The examples of a task, each by a recipe and as large as its room allows. */
export function* examplesOf(room: Room, reader: Reader, recipes: Iterable<Recipe>): Generator<Example> {
  const { length } = room;
  let i = 0;
  for (const { compose, ...sizes } of recipes) {
    const draws = () => drawsOf(reader.seed, i);
    yield {
      id: `${length}/${i}`,
      ...fitted(room, reader, (size) => compose(size, draws()), sizes),
      facets: { length },
    };
    i++;
  }
}
