/** All that has a page: methods, policies, wrappers and merges, with their docstrings and defaults. */
import {
  budgetCurves,
  headScores,
  type Merge,
  measuredRegistry,
  mergeRegistry,
  policies,
  registry,
  snapKV,
} from "../../src/index.ts";
import { docsOf, type FactoryDoc } from "./docstring.ts";
import { wrappers } from "./wrappers.ts";

type Make = (options: typeof REQUIRED) => { readonly options: Readonly<Record<string, unknown>> };

/** What factories need to say their defaults: a budget that all take, and measurements of no model. */
const REQUIRED = { budget: 256, heads: headScores([[1]], "required"), curves: budgetCurves([[[1]]], "required") };
const withBudget =
  (make: (options: { budget: number }) => ReturnType<Make>): Make =>
  (options) =>
    make({ budget: options.budget });
const budgeted = (makers: Readonly<Record<string, Parameters<typeof withBudget>[0]>>) =>
  Object.fromEntries(Object.entries(makers).map(([name, make]) => [name, withBudget(make)]));

const told = Object.fromEntries(
  Object.entries(measuredRegistry).map(([name, method]): [string, Make] => [
    name,
    ({ budget, heads, curves }) =>
      method.needs === "heads" ? method.make({ budget, heads }) : method.make({ budget, curves }),
  ]),
);

const { every } = wrappers.everysteps(snapKV({ budget: REQUIRED.budget })).options;

interface Folder {
  readonly folder: string;
  readonly title: string;
  /** Where their names and docstrings stand: `file#constant`. */
  readonly registries: readonly string[];
  readonly make: Readonly<Record<string, Make>>;
  /** Whether `bun run compare` asks them. */
  readonly compared: boolean;
}

const FOLDERS: readonly Folder[] = [
  {
    folder: "methods",
    title: "Methods",
    registries: ["src/methods/registry.ts#registry", "src/methods/measured-registry.ts#measuredRegistry"],
    make: { ...budgeted(registry), ...told },
    compared: true,
  },
  {
    folder: "decoding",
    title: "Decoding policies",
    registries: ["src/decoding/registry.ts#policies"],
    make: budgeted(policies),
    compared: false,
  },
  {
    folder: "wrappers",
    title: "Wrappers over any method",
    registries: ["recipes/docs/wrappers.ts#wrappers"],
    make: { everysteps: () => ({ options: { every } }) },
    compared: false,
  },
  {
    folder: "merging",
    title: "Merges",
    registries: ["src/merging/registry.ts#mergeRegistry"],
    make: Object.fromEntries(Object.entries<() => Merge>(mergeRegistry).map(([name, make]) => [name, () => make()])),
    compared: false,
  },
];

export interface Documented extends Pick<Folder, "folder" | "title" | "compared"> {
  readonly doc: FactoryDoc;
  /** What the factory records when only what is required is given. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** All that has a page. */
export const documented = (): readonly Documented[] =>
  FOLDERS.flatMap(({ registries, make, ...folder }) =>
    docsOf(registries).map((doc) => ({ ...folder, doc, defaults: make[doc.name]?.(REQUIRED).options ?? {} })),
  );
