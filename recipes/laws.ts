/** Every law on every method: docs/laws.json, from which `bun run docs` makes its page. */
import { rename, writeFile } from "node:fs/promises";
import { type MethodFactory, registry } from "../src/index.ts";
import { version } from "../src/version.ts";
import { assertBlockLaw, blockLawsOf } from "../test/support/block-laws.ts";
import { measuredMethods } from "../test/support/measurements.ts";
import { assertMethodLaw, type LawFactory, methodLaws } from "../test/support/method-laws.ts";
import { assertNetworkLaw, networkLaws } from "../test/support/network-laws.ts";
import { SEED } from "../test/support/seed.ts";
import { LAWS, type LawsFile } from "./docs/laws.ts";
import { args, command, named } from "./support/command.ts";
import { progressBar } from "./support/progress-bar.ts";

const HELP = `bun run laws [options]

Checks every law on every registered method, on random prompts, tiny random networks and blocks, prints what fails with its smallest counterexample, and
writes docs/laws.json. Then bun run docs. Some minutes; PYRAMIDKV_RUNS=0.1 for a tenth of the random values, PYRAMIDKV_SEED=7 for others.

  --methods A,B      only these: prints, and writes nothing
  --help             this text`;

/** Some laws of a method, and what checks one of them. */
interface Family {
  readonly laws: readonly string[];
  readonly check: (law: string) => Promise<void>;
}
interface Subject {
  readonly name: string;
  readonly families: Readonly<Record<string, Family>>;
}

const subjects: Readonly<Record<string, Subject>> = Object.fromEntries([
  ...Object.entries<MethodFactory>(registry).map(([name, factory]): [string, Subject] => {
    const families = {
      selection: { laws: methodLaws, check: (law: string) => assertMethodLaw(law, factory) },
      network: { laws: networkLaws, check: (law: string) => assertNetworkLaw(law, factory) },
      blocks: { laws: blockLawsOf(factory), check: (law: string) => assertBlockLaw(law, factory) },
    };
    return [name, { name, families }];
  }),
  // What was measured of one network's heads says nothing of another's, so these are asked without a network.
  ...Object.entries<LawFactory>(measuredMethods).map(([name, factory]): [string, Subject] => [
    name,
    { name, families: { selection: { laws: methodLaws, check: (law) => assertMethodLaw(law, factory) } } },
  ]),
]);

await command("laws", async () => {
  const { values } = args({ methods: { type: "string" }, help: { type: "boolean", default: false } });
  if (values.help) return console.log(HELP);
  const chosen = values.methods === undefined ? Object.values(subjects) : named("--methods", values.methods, subjects);
  const tasks = chosen.flatMap(({ name, families }) =>
    Object.entries(families).flatMap(([family, { laws, check }]) => laws.map((law) => ({ name, family, law, check }))),
  );
  const results: LawsFile["results"] = [];
  using bar = progressBar(tasks.length);
  for (const { name, family, law, check } of tasks) {
    const fault = await check(law).then(
      () => null,
      (cause: unknown) => cause,
    );
    results.push({ method: name, family, law, holds: fault === null });
    if (fault !== null) console.error(`${name}: ${law}\n${fault}`);
    bar.advance(1, `${name}: ${law}`);
  }
  const failed = results.filter(({ holds }) => !holds);
  console.log(`${results.length - failed.length} of ${results.length} hold, on ${chosen.length} methods`);
  if (failed.length > 0) process.exitCode = 1;
  if (values.methods !== undefined) return;
  const file: LawsFile = {
    date: new Date().toISOString().slice(0, 10),
    version,
    seed: SEED,
    share: Number(process.env.PYRAMIDKV_RUNS ?? 1),
    results,
  };
  await writeFile(`${LAWS}.tmp`, `${JSON.stringify(file, null, 1)}\n`);
  await rename(`${LAWS}.tmp`, LAWS);
  console.log(`written to ${LAWS}; bun run docs makes the page`);
});
