/**
 * Methods that are told of measurements, from the files that `bun run measure` writes: those that need them, and those that else compute
 * their own on the fly, under names of their own (`measured/qfilters`), so that no file changes what a name means and results are told apart.
 */
import { join } from "node:path";
import {
  expectedAttention,
  KvError,
  loadCurves,
  loadFilters,
  loadHeads,
  loadQueryStatistics,
  type MeasuredMethod,
  type Method,
  type MethodFactory,
  type Model,
  measuredRegistry,
  qFilters,
} from "../../src/index.ts";

/** A method, and what it is told. */
export interface ToldMethod {
  /** The kind of measurement, and the name of its file. */
  readonly needs: string;
  /** @throws KvError as loading does */
  make(model: Model, path: string): Promise<MethodFactory>;
}

const telling = <Kind>(
  needs: string,
  load: (model: Model, path: string) => Promise<Kind>,
  make: (budget: number, measured: Kind) => Method,
): ToldMethod => ({
  needs,
  async make(model, path) {
    const measured = await load(model, path);
    return ({ budget }) => make(budget, measured);
  },
});

/** One that needs what was measured. */
const needing = (method: MeasuredMethod): ToldMethod =>
  method.needs === "heads"
    ? telling("heads", loadHeads, (budget, heads) => method.make({ budget, heads }))
    : telling("curves", loadCurves, (budget, curves) => method.make({ budget, curves }));

/** One that else computes its own. */
const named = (method: Method): Method => ({ ...method, name: `measured/${method.name}` });

export const toldMethods: Readonly<Record<string, ToldMethod>> = {
  ...Object.fromEntries(Object.entries(measuredRegistry).map(([name, method]) => [name, needing(method)])),
  "measured/qfilters": telling("filters", loadFilters, (budget, filters) => named(qFilters({ budget, filters }))),
  "measured/expectedattention": telling("query-statistics", loadQueryStatistics, (budget, statistics) =>
    named(expectedAttention({ budget, statistics })),
  ),
};

/**
 * A method that reads what it is told from a folder, such as heads.safetensors.
 *
 * @throws KvError `invalid_option` where the folder has no such file, `wrong_model`, `corrupt_file`, `unsupported_format`
 */
export async function told(model: Model, method: ToldMethod, folder: string): Promise<MethodFactory> {
  try {
    return await method.make(model, join(folder, `${method.needs}.safetensors`));
  } catch (cause) {
    if (!(cause instanceof KvError && cause.code === "model_not_found")) throw cause;
    throw withoutFile(folder, method);
  }
}

/** @param folder undefined where none was given */
export function withoutFile(folder: string | undefined, { needs }: ToldMethod): KvError {
  const allowed = `a folder that has ${needs}.safetensors`;
  const hint = `bun run measure --what ${needs} makes it`;
  return new KvError({ code: "invalid_option", path: ["--measured"], found: folder, allowed, hint });
}
