/** What `bun run laws` found, as it is committed, and its page. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { distinct } from "./measured.ts";

const file = z.object({
  date: z.string(),
  version: z.string(),
  seed: z.int(),
  /** Of the random values of a test run. */
  share: z.number(),
  results: z.array(z.object({ method: z.string(), family: z.string(), law: z.string(), holds: z.boolean() })),
});

export type LawsFile = z.output<typeof file>;

export const LAWS = fileURLToPath(new URL("../../docs/laws.json", import.meta.url));

/** @throws what zod says of a file that is no such file */
export const readLaws = (): LawsFile => file.parse(JSON.parse(readFileSync(LAWS, "utf8")));

const INTRODUCTION = `# Laws

Every registered method must make the same sentences true, on random prompts with budgets, windows and heads of all sizes, on tiny random networks, and block by
block. The test suite checks them all in every run; this table is what \`bun run laws\` found. A number is how many of a family's laws hold; a method that must see the
whole prompt has one law block by block, that it is refused. What was measured of one network's heads says nothing of another's, so
headkv, duoattention and lukv are asked without a network.`;

/** A row for each method, and the laws in words. */
export function lawsPage({ date, version, seed, share, results }: LawsFile): string {
  const names = distinct(results.map(({ family }) => family));
  const rows = distinct(results.map(({ method }) => method)).map((method) => {
    const cells = names.map((family) => {
      const own = results.filter((result) => result.method === method && result.family === family);
      return own.length === 0 ? "" : `${own.filter(({ holds }) => holds).length} of ${own.length}`;
    });
    return `| ${[`[${method}](methods/${method}.md)`, ...cells].join(" | ")} |`;
  });
  const table = [`| method | ${names.join(" | ")} |`, `|---${"|---".repeat(names.length)}|`, ...rows].join("\n");
  const failed = results.filter(({ holds }) => !holds).map(({ method, law }) => `- ${method}: ${law}`);
  const lists = names.map((family) => {
    const laws = distinct(results.filter((result) => result.family === family).map(({ law }) => law));
    return `## ${family}\n\n${laws.map((law) => `- ${law}`).join("\n")}`;
  });
  const provenance = `Checked ${date}, pyramidkv ${version}, seed ${seed}, ${share} of a test run's random values.`;
  const faults = failed.length === 0 ? "All hold." : `These do not hold:\n\n${failed.join("\n")}`;
  return `${[INTRODUCTION, table, `${faults} ${provenance}`, ...lists].join("\n\n")}\n`;
}
