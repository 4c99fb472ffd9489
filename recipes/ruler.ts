/** RULER: thirteen tasks of retrieval, tracing and counting, made at any length. */
import { rulerTasks } from "../src/evaluate/index.ts";
import { args, command, integer, named } from "./support/command.ts";
import { evaluate } from "./support/evaluation.ts";
import { OPTIONS, USAGE } from "./support/evaluation-options.ts";

const names = Object.keys(rulerTasks).map((name) => name.replace("ruler/", ""));
const generated = names.filter((name) => !name.startsWith("qa_"));

const HELP = `bun run ruler [options]

The tasks of RULER (arXiv 2404.06654), made from a seed, under every method and budget.

  --tasks A,B,...    of ${names.join(", ")}
                     (default: all but qa_1 and qa_2, which read files)
  --length N         tokens of prompt and answer together (default: 1000)
  --examples N       of each task (default: 3)
  --squad FILE       SQuAD 2.0's JSON, for qa_1
  --hotpotqa FILE    HotpotQA's JSON, for qa_2${USAGE}`;

await command("ruler", async () => {
  const { values } = args({
    ...OPTIONS,
    tasks: { type: "string", default: generated.join(",") },
    length: { type: "string", default: "1000" },
    examples: { type: "string", default: "3" },
    squad: { type: "string" },
    hotpotqa: { type: "string" },
  });
  if (values.help) return console.log(HELP);
  const options = { length: integer("--length", values.length), examples: integer("--examples", values.examples) };
  const files = new Map([
    ["qa_1", values.squad],
    ["qa_2", values.hotpotqa],
  ]);
  const makers = Object.fromEntries(
    Object.entries(rulerTasks).map(([name, make]) => {
      const short = name.replace("ruler/", "");
      return [short, () => make(files.has(short) ? { ...options, file: files.get(short) } : options)];
    }),
  );
  const tasks = named("--tasks", values.tasks, makers).map((make) => make());
  await evaluate("ruler", values, tasks);
});
