/** LongBench, LongBench-E and LongBench v2 as published, on the Hub's files or on local ones. */
import { longBenchTasks } from "../src/evaluate/index.ts";
import { args, command, integer, named } from "./support/command.ts";
import { evaluate } from "./support/evaluation.ts";
import { OPTIONS, USAGE } from "./support/evaluation-options.ts";

const names = Object.keys(longBenchTasks);

const HELP = `bun run longbench [options]

The published prompts, cuts, limits and metrics, under every method and budget.

  --tasks A,B,...    of ${names.join(", ")}
                     (default: longbench/trec,longbench/passage_retrieval_en)
  --folder DIR       where the .jsonl files are (default: from the Hub)
  --examples N       of each data set, the first ones (default: 10)
  --max-length N     tokens that prompts are cut to, in the middle (default: 2000; the paper's are 7500 and more)
  --skip-malformed   leaves lines out that are malformed, rather than to stop${USAGE}`;

await command("longbench", async () => {
  const { values } = args({
    ...OPTIONS,
    tasks: { type: "string", default: "longbench/trec,longbench/passage_retrieval_en" },
    folder: { type: "string" },
    examples: { type: "string", default: "10" },
    "max-length": { type: "string", default: "2000" },
    "skip-malformed": { type: "boolean", default: false },
  });
  if (values.help) return console.log(HELP);
  const options = {
    folder: values.folder,
    examples: integer("--examples", values.examples),
    maxLength: integer("--max-length", values["max-length"]),
    onMalformed: values["skip-malformed"] ? ("skip" as const) : ("fail" as const),
  };
  const tasks = named("--tasks", values.tasks, longBenchTasks).map((make) => make(options));
  await evaluate("longbench", values, tasks);
});
