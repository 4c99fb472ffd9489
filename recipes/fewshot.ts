/** Few-shot classification: does a method keep the examples that say what is asked? */
import { fewShot } from "../src/evaluate/index.ts";
import { args, command, integer, integers } from "./support/command.ts";
import { evaluate } from "./support/evaluation.ts";
import { OPTIONS, USAGE } from "./support/evaluation-options.ts";

const HELP = `bun run fewshot [options]

Questions to put into one of six categories, after as many labelled ones as fit, under every method and budget.

  --lengths A,B,...  tokens of prompt and answer together (default: 500,1000)
  --examples N       of each length (default: 24)${USAGE}`;

await command("fewshot", async () => {
  const { values } = args({
    ...OPTIONS,
    lengths: { type: "string", default: "500,1000" },
    examples: { type: "string", default: "24" },
  });
  if (values.help) return console.log(HELP);
  const task = fewShot({
    lengths: integers("--lengths", values.lengths),
    examples: integer("--examples", values.examples),
  });
  await evaluate("fewshot", values, [task], ["length"]);
});
