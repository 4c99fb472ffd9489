/** Random methods: any score, or two of them, under steps and any schedule, in any wrappers, with what goes on while decoding. */
import fc from "fast-check";
import {
  adaptiveHeads,
  chain,
  chunks,
  type DecodingPolicy,
  define,
  everySteps,
  firstAndLast,
  globalHeads,
  heavyHitters,
  layerDecay,
  layerDensity,
  layerPreference,
  layerUncertainty,
  type Method,
  type MethodFactory,
  maxPool,
  merged,
  mergeRegistry,
  miniCache,
  packed,
  pyramid,
  quantised,
  rank,
  readOn,
  registry,
  type Schedule,
  type Score,
  type Step,
  segments,
  snapKV,
  standardise,
  streamingWindow,
  thinK,
  tokenOmission,
  uniform,
  weightedSum,
} from "../../src/index.ts";

/** Budgets here are small, and what a method makes of its own is not looked at: this is above what each always keeps. */
const ENOUGH = 1000;

const scored = Object.entries<MethodFactory>(registry).filter(
  ([, factory]) => factory({ budget: ENOUGH }).score !== null,
);

const schedules: Readonly<Record<string, () => Schedule>> = {
  uniform: () => uniform(),
  pyramid: () => pyramid({ beta: 5 }),
  "layer decay": () => layerDecay({ decay: 0.8 }),
  "adaptive heads": () => adaptiveHeads(),
  "adaptive heads on a pyramid": () => adaptiveHeads({ floor: 0.5, layers: pyramid({ beta: 3 }) }),
  "global heads": () => globalHeads(),
  "layer density": () => layerDensity(),
  "layer preference": () => layerPreference({ window: 4 }),
  "layer uncertainty": () => layerUncertainty({ window: 4 }),
};

const steps: Readonly<Record<string, () => Step>> = {
  rank: () => rank,
  standardise: () => standardise,
  chunks: () => chunks(4),
  maxPool: () => maxPool(3),
  readOn: () => readOn(0.5),
  segments: () => segments([2, 3, 9, 15, 16, 30]),
};

const names = (of: Readonly<Record<string, unknown>>) => fc.constantFrom(...Object.keys(of));
const known = <T>(of: Readonly<Record<string, T>>, name: string): T => {
  const found = of[name];
  if (found === undefined) throw new RangeError(`no ${name}`);
  return found;
};

export interface Combination {
  /** Names of methods whose scores are taken, and how much the second counts; one alone where there is no second. */
  readonly first: string;
  readonly second: { readonly name: string; readonly weight: number } | null;
  readonly step: string | null;
  readonly schedule: string;
}

export const combinations: fc.Arbitrary<Combination> = fc.record({
  first: fc.constantFrom(...scored.map(([name]) => name)),
  second: fc.option(
    fc.record({
      name: fc.constantFrom(...scored.map(([name]) => name)),
      weight: fc.double({ min: 0.1, max: 3, noNaN: true }),
    }),
    { nil: null },
  ),
  step: fc.option(names(steps), { nil: null }),
  schedule: names(schedules),
});

/** The method that a combination describes. */
export function combined({ first, second, step, schedule }: Combination): MethodFactory {
  const one = known<MethodFactory>(registry, first)({ budget: ENOUGH });
  const two = second === null ? null : known<MethodFactory>(registry, second.name)({ budget: ENOUGH });
  const keep = firstAndLast(
    Math.max(one.keep.first, two?.keep.first ?? 0),
    Math.max(one.keep.last, two?.keep.last ?? 0, 4), // schedules that look at the last 4 queries
  );
  const ranked = (score: Score | null): Score => chain(score ?? fail(), rank);
  const sum =
    two === null || second === null
      ? (one.score ?? fail())
      : weightedSum([1, ranked(one.score)], [second.weight, ranked(two.score)]);
  const score = step === null ? sum : chain(sum, known(steps, step)());
  return define("combination", { options: {} }, () => ({ keep, score, allocate: known(schedules, schedule)() }));
}

const fail = (): never => {
  throw new Error("a method without a score");
};

/** What becomes of what is kept, innermost first. Forms that exclude each other are not drawn together. */
export const wrappings: fc.Arbitrary<readonly string[]> = fc
  .record({
    merge: fc.option(names(mergeRegistry), { nil: null }),
    packed: fc.boolean(),
    form: fc.constantFrom<readonly string[]>([], [], ["int8"], ["int4"], ["thinK"], ["int2", "thinK"], ["miniCache"]),
    order: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
  })
  .map(({ merge, packed: isPacked, form, order }) =>
    [...(merge === null ? [] : [merge]), ...(isPacked ? ["packed"] : []), ...form]
      .map((name, i) => ({ name, at: order[i] ?? 0 }))
      .sort((a, b) => a.at - b.at)
      .map(({ name }) => name),
  );

const wrappers: Readonly<Record<string, (method: Method) => Method>> = {
  ...Object.fromEntries(
    Object.entries(mergeRegistry).map(([name, make]) => [name, (method: Method) => merged(method, make())]),
  ),
  packed: (method) => packed(method),
  int8: (method) => quantised(method, { bits: 8, recent: 8 }),
  int4: (method) => quantised(method, { bits: 4, recent: 8 }),
  int2: (method) => quantised(method, { bits: 2, recent: 8 }),
  thinK: (method) => thinK(method, { window: 8 }),
  miniCache: (method) => miniCache(method, { recent: 4 }),
};

export const wrapped = (method: Method, names: readonly string[]): Method =>
  names.reduce((inner, name) => known(wrappers, name)(inner), method);

/** Whether a wrapping stores what is kept in another form than fp32. */
export const isCompact = (names: readonly string[]): boolean =>
  names.some((name) => ["int8", "int4", "int2", "thinK", "miniCache"].includes(name));

/** What evicts while tokens are generated. */
export const policiesOf: Readonly<Record<string, (budget: number) => DecodingPolicy>> = {
  streamingWindow: (budget) => streamingWindow({ budget, sinks: 1 }),
  heavyHitters: (budget) => heavyHitters({ budget }),
  tokenOmission: (budget) => tokenOmission({ budget }),
  everySteps: (budget) => everySteps(snapKV({ budget, window: 1, pool: maxPool(3) }), { every: 2 }),
};
