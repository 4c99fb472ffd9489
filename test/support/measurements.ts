/** Random measurements of a model's heads, for schedules and methods that are told of them. */
import { budgetCurves, type HeadScores, headScores } from "../../src/allocation/index.ts";
import type { ScheduleSizes } from "../../src/allocation/schedule.ts";
import { type MeasuredMethod, measuredRegistry } from "../../src/methods/measured-registry.ts";
import { ties } from "./arbitraries.ts";

type Sizes = Pick<ScheduleSizes, "layers" | "kvHeads">;
interface Random {
  readonly seed: number;
  /** Distinct values: few make ties, and zeros. */
  readonly levels: number;
}

const table = ({ seed, levels }: Random, { layers, kvHeads }: Sizes): HeadScores["values"] =>
  Array.from({ length: layers }, (_, layer) => [...ties(seed + layer, levels, kvHeads).data]);

/** Scores in [0, 1) of each head. */
export const someHeads = (random: Random, sizes: Sizes) => headScores(table(random, sizes), "random");

/** Nine tables of shares. */
export const someCurves = ({ seed, levels }: Random, sizes: Sizes) =>
  budgetCurves(
    Array.from({ length: 9 }, (_, i) => table({ seed: seed + 100 * i, levels }, sizes)),
    "random",
  );

/** The methods that need measurements, told of random ones of the shape they are used on. */
export const measuredMethods = Object.fromEntries(
  Object.entries<MeasuredMethod>(measuredRegistry).map(([name, method]) => [
    name,
    ({ budget }: { readonly budget: number }, shape: Sizes) => {
      const random = { seed: 7 * budget, levels: 4 };
      return method.needs === "heads"
        ? method.make({ budget, heads: someHeads(random, shape) })
        : method.make({ budget, curves: someCurves(random, shape) });
    },
  ]),
);
