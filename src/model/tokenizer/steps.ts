/**
 * The steps of a tokenizer.json (normalizers, pre-tokenizers, decoders), so that running them always ends and means what it
 * does in the original library.
 */

import { z } from "zod";
import { KvError } from "../../error.ts";
import { parseWith } from "../open-json.ts";
import { linearPattern } from "./pattern.ts";

export const Step = z.looseObject({ type: z.string() }).nullish().default(null);
export type Step = z.output<typeof Step>;

/** Under these names a `Sequence` has its steps. */
const nested = ["normalizers", "pretokenizers", "decoders"] as const;
/** Real ones nest once. */
const maxDepth = 8;
/** How many times longer the steps may make a text; real ones make it twice as long at most. */
const maxGrowth = 1000;

const Pattern = z.union([z.object({ Regex: z.string() }), z.object({ String: z.string() })]);

/**
 * The same step or sequence of steps, with patterns that match in linear time.
 *
 * @throws KvError `unsupported_format` (a pattern, or texts that grow without measure), `corrupt_file`
 */
export function boundedSteps(step: Step, path: string, place: readonly (string | number)[]): Step {
  const bounded = rewrite(step, path, place);
  const growth = growthOf(bounded);
  if (growth <= maxGrowth) return bounded;
  const allowed = `steps that make no text more than ${maxGrowth} times longer`;
  throw new KvError({ code: "unsupported_format", path: [path, ...place], found: `${growth} times`, allowed });
}

function rewrite(step: Step, path: string, place: readonly (string | number)[]): Step {
  if (step === null) return step;
  if (place.length > 2 * maxDepth) throw corrupt(path, place, "deeply nested", `at most ${maxDepth} deep`);
  if (step.type === "FixedLength" && !(Number.isInteger(step.length) && Number(step.length) > 0)) {
    throw corrupt(path, [...place, "length"], step.length, "an integer above 0");
  }
  if (step.type === "Digits") return unicodeDigits(step);
  const Regex = patternOf(step, "Regex");
  const pattern = Regex === undefined ? {} : { pattern: { Regex: linearPattern(Regex, [path, ...place, "pattern"]) } };
  const lists = nested
    .filter((name) => step[name] !== undefined)
    .map((name) => {
      const steps = parseWith(z.array(Step), step[name], "corrupt_file", [path, ...place, name].join("."));
      return [name, steps.map((inner, i) => rewrite(inner, path, [...place, name, i]))] as const;
    });
  return { ...step, ...pattern, ...Object.fromEntries(lists) };
}

/**
 * `Digits` splits at every Unicode number in the original library, and at 0 to 9 only in the JavaScript one; the same
 * split as a regular expression means the same in both.
 */
function unicodeDigits(step: NonNullable<Step>): Step {
  const pattern = { Regex: step.individual_digits === true ? "\\p{N}" : "\\p{N}+" };
  return { type: "Split", pattern, behavior: "Isolated", invert: false };
}

/** How many times longer a text of one character can become. */
function growthOf(step: Step): number {
  if (step === null) return 1;
  const inner = nested.flatMap((name) => z.array(Step).safeParse(step[name]).data ?? []);
  const within = inner.map(growthOf).reduce((product, growth) => product * growth, 1);
  const texts = [step.content, step.prepend, step.replacement, step.str_rep];
  const longest = Math.max(0, ...texts.map((text) => (typeof text === "string" ? text.length : 0)));
  const replaced = patternOf(step, "String")?.length ?? 0;
  // Where nothing has to be there to be replaced, the text stays beside what is put in.
  return within * (replaced > 0 ? Math.max(1, longest / replaced) : 1 + longest);
}

function patternOf(step: NonNullable<Step>, kind: "Regex" | "String"): string | undefined {
  const pattern: Readonly<Record<string, string>> = Pattern.safeParse(step.pattern).data ?? {};
  return pattern[kind];
}

const corrupt = (path: string, place: readonly (string | number)[], found: unknown, allowed: string): KvError =>
  new KvError({ code: "corrupt_file", path: [path, ...place], found, allowed });
