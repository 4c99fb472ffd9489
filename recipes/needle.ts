/** Needle in a haystack: is a fact at any depth of texts of any length still found after compression? */
import { needle } from "../src/evaluate/index.ts";
import { args, command, integer, integers } from "./support/command.ts";
import { evaluate } from "./support/evaluation.ts";
import { OPTIONS, USAGE } from "./support/evaluation-options.ts";

const HELP = `bun run needle [options]

Hides a magic number in chapters of Moby-Dick, at depths from beginning to end, and asks for it under every method and budget.

  --lengths A,B,...  tokens of prompt and answer together (default: 500,1000)
  --depths N         how many, evenly from the text's beginning to its end (default: 11)
  --examples N       of each length and depth (default: 1)
  --keys N           so many places have numbers, of which one is asked (default: 1)
  --values N         so many numbers of the place, all asked (default: 1)
  --queries N        so many places asked at once (default: 1)
  --kind KIND        passkey, or sentence for a sentence to be repeated (default: passkey)
  --haystack FILE    a text to hide it in, in place of Moby-Dick${USAGE}`;

await command("needle", async () => {
  const { values } = args({
    ...OPTIONS,
    lengths: { type: "string", default: "500,1000" },
    depths: { type: "string", default: "11" },
    examples: { type: "string", default: "1" },
    keys: { type: "string", default: "1" },
    values: { type: "string", default: "1" },
    queries: { type: "string", default: "1" },
    kind: { type: "string", default: "passkey" },
    haystack: { type: "string" },
  });
  if (values.help) return console.log(HELP);
  const number = (option: "depths" | "examples" | "keys" | "values" | "queries") =>
    integer(`--${option}`, values[option]);
  const task = taskOf({
    lengths: integers("--lengths", values.lengths),
    depths: number("depths"),
    examples: number("examples"),
    keys: number("keys"),
    values: number("values"),
    queries: number("queries"),
    kind: values.kind,
    haystack: values.haystack,
  });
  await evaluate("needle", values, [task], ["length"]);
});

/** The task checks its options itself, `kind` among them. */
function taskOf(options: object) {
  return needle(options);
}
