/**
 * The regular expressions of a tokenizer.json. Nobody here wrote them and nothing can stop one that backtracks, so only
 * those pass that are seen to match in linear time.
 */

import { KvError } from "../../error.ts";
import { scansTwice } from "./pattern-shape.ts";

/** The longest known has a thousand. */
const longest = 4000;

const word = "[^\\r\\n\\p{L}\\p{N}]?";
const [upper, lower] = ["[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]", "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"];
const contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";
const upperLower = (end: string) => `${word}${upper}+${lower}*${end}`;
const casePair = (end: string) => `${word}${upper}*${lower}+${end}|${upperLower(end)}`;

/** Alternatives that break the rule, and what of them matches all that the others scanned in vain. */
const linearTogether: readonly (readonly [string, string])[] = [
  ["\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", "\\s+"],
  ["\\s*[\\r\\n]|\\s+(?!\\S)|\\s+", "\\s+"],
  ["\\s+(?!\\S)|\\s+", "\\s+"],
  [casePair(contraction), upperLower(contraction)],
  [casePair(""), upperLower("")],
];

const known: ReadonlyMap<string, string> = new Map([
  // DeepSeek's; quadratic in a run of blanks unless it is only tried where a run starts.
  ["\\s+$", "(?<!\\s)\\s+$"],
  // BLOOM's, whose one class is malformed; the library mends that by name.
  [" ?[^(\\s|[.,!?…。，、।۔،])]+", " ?[^(\\s|[.,!?…。，、।۔،])]+"],
]);
/** How the class begins that the library mends, which would then not be the class that is looked at here. */
const mended = "[^(\\s|[";

/**
 * A pattern that matches what `pattern` does, in time linear in the text.
 *
 * @param place where it stands, for the error
 * @throws KvError `unsupported_format` where that can't be seen
 */
export function linearPattern(pattern: string, place: readonly (string | number)[]): string {
  const same = known.get(pattern);
  if (same !== undefined) return same;
  const fault = faultOf(pattern);
  if (fault === null) return pattern;
  const allowed = "a regular expression that surely matches in linear time";
  throw new KvError({ code: "unsupported_format", path: place, found: pattern, allowed, hint: fault });
}

function faultOf(pattern: string): string | null {
  if (pattern.length > longest) return `it has ${pattern.length} characters`;
  return pattern.includes(mended) ? `its ${mended} is malformed` : scansTwice(simplified(pattern));
}

function simplified(pattern: string): string {
  const escaped = pattern.replaceAll("\r", "\\r").replaceAll("\n", "\\n");
  // Framed in bars, so that only whole alternatives are replaced.
  const framed = linearTogether.reduce(
    (text, [from, to]) => text.replace(`|${from}|`, () => `|${to}|`),
    `|${escaped}|`,
  );
  return framed.slice(1, -1);
}
