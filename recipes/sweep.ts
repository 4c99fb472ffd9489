/** Any tasks under any methods and budgets: one prefill per example, all answers as one batch, every result kept as it comes. */
import { type Task, taskFromText, tasks } from "../src/evaluate/index.ts";
import { args, command } from "./support/command.ts";
import { evaluate } from "./support/evaluation.ts";
import { OPTIONS, USAGE } from "./support/evaluation-options.ts";

const DEFAULTS = ['needle {"lengths":[500,1000],"depths":11,"examples":4}', 'few-shot {"lengths":[500],"examples":48}'];

const HELP = `bun run sweep [options]

Asks a model under every method at every budget, and says how many answers are right. Default: 88 needles in 500 and 1,000 tokens and 48
questions to classify, five to ten minutes on two cores.

  --task TASK        a task's name, and options as JSON if need be: 'needle {"lengths":[500]}'. May be given several times.
                     Known: ${Object.keys(tasks).join(", ")}${USAGE}`;

await command("sweep", async () => {
  const { values } = args({ ...OPTIONS, task: { type: "string", multiple: true } });
  if (values.help) return console.log(HELP);
  const chosen: readonly Task[] = (values.task ?? DEFAULTS).map((text) => taskFromText(text, tasks));
  await evaluate("sweep", values, chosen, ["length"]);
});
