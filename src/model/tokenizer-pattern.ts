/**
 * The regular expressions of a tokenizer.json. Nobody here wrote them and nothing can stop one that backtracks, so only
 * those pass that are seen to match in linear time.
 *
 * The rule: after a repeat without bound nothing may follow that can fail. What was scanned is then matched, so no
 * character is scanned twice. What comes before it may only try a bounded number of ways.
 */

import { KvError } from "../error.ts";

/** Of a part of a pattern. */
interface Shape {
  /** Matches whatever comes: it may be empty, without a condition. */
  readonly sure: boolean;
  /** Repeats without bound. */
  readonly open: boolean;
  /** Steps that one attempt takes at most, apart from what an open part matches. */
  readonly work: number;
}

/** Real patterns are shorter, but for one of a thousand characters, and need less work than 50. */
const longest = 4000;
const maxWork = 2000;
const maxDepth = 20;

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

/** DeepSeek's: quadratic in a run of blanks as it stands, and the same in linear time when only tried where a run starts. */
const rewritten: ReadonlyMap<string, string> = new Map([["\\s+$", "(?<!\\s)\\s+$"]]);

/**
 * A pattern that matches what `pattern` does, in time linear in the text.
 *
 * @param place where it stands, for the error
 * @throws KvError `unsupported_format` where that can't be seen
 */
export function linearPattern(pattern: string, place: readonly (string | number)[]): string {
  const known = rewritten.get(pattern);
  if (known !== undefined) return known;
  const fault = pattern.length > longest ? `it has ${pattern.length} characters` : faultOf(simplified(pattern));
  if (fault === null) return pattern;
  const allowed = "a regular expression that surely matches in linear time";
  throw new KvError({ code: "unsupported_format", path: place, found: pattern, allowed, hint: fault });
}

function simplified(pattern: string): string {
  const escaped = pattern.replaceAll("\r", "\\r").replaceAll("\n", "\\n");
  // Framed in bars, so that only whole alternatives are replaced.
  const framed = linearTogether.reduce((text, [from, to]) => text.replace(`|${from}|`, () => `|${to}|`), `|${escaped}|`);
  return framed.slice(1, -1);
}

class Fault extends Error {}

function faultOf(pattern: string): string | null {
  try {
    const { work, end } = alternatives(pattern, 0, 0);
    if (end < pattern.length) return "a parenthesis too many";
    return work > maxWork ? "too many ways to match" : null;
  } catch (fault) {
    if (fault instanceof Fault) return fault.message;
    throw fault;
  }
}

type Parsed = Shape & { readonly end: number };

function alternatives(pattern: string, start: number, depth: number): Parsed {
  if (depth > maxDepth) throw new Fault("groups too deep");
  let all = sequence(pattern, start, depth);
  while (pattern[all.end] === "|") {
    const { sure, open, work, end } = sequence(pattern, all.end + 1, depth);
    all = { sure: all.sure || sure, open: all.open || open, work: all.work + work, end };
  }
  return all;
}

function sequence(pattern: string, start: number, depth: number): Parsed {
  let [sure, open, work, end] = [true, false, 1, start];
  while (end < pattern.length && pattern[end] !== "|" && pattern[end] !== ")") {
    const item = repeated(pattern, end, depth);
    if (open && !item.sure) throw new Fault("what follows a repeat without bound can fail");
    sure &&= item.sure;
    open ||= item.open;
    work *= item.work;
    end = item.end;
  }
  return { sure, open, work, end };
}

/** An atom and its quantifier. */
function repeated(pattern: string, start: number, depth: number): Parsed {
  const { kind, ...atom } = atomAt(pattern, start, depth);
  const text = quantifier.exec(pattern.slice(atom.end, atom.end + 20))?.[0];
  if (text === undefined) return atom;
  const end = atom.end + text.length;
  if (kind === "condition") throw new Fault("a condition repeated");
  if (quantifier.test(pattern.slice(end, end + 20)) || /}[+*]$/.test(text)) throw new Fault("a repeat repeated");
  const [min, max] = counts(text);
  if (max <= 1) return { ...atom, sure: atom.sure || min === 0, work: atom.work + 1, end };
  if (kind === "group" && (max === Number.POSITIVE_INFINITY || atom.open)) throw new Fault("a group repeated");
  if (max === Number.POSITIVE_INFINITY) return { sure: min === 0, open: true, work: Math.max(1, min), end };
  return { sure: min === 0 || atom.sure, open: false, work: max * atom.work ** max + 1, end };
}

/** With the mark that makes it lazy or possessive. */
const quantifier = /^(?:[*+?]|\{(?:\d+(?:,\d*)?|,\d+)\})[+?*]?/;

function counts(text: string): readonly [number, number] {
  const simple = { "*": [0, Number.POSITIVE_INFINITY], "+": [1, Number.POSITIVE_INFINITY], "?": [0, 1] } as const;
  const [, min = "", comma = "", max = ""] = /^\{(\d*)(,?)(\d*)\}/.exec(text) ?? [];
  if (!text.startsWith("{")) return simple[text[0] as keyof typeof simple];
  if (comma === "") return [Number(min), Number(min)];
  return [Number(min), max === "" ? Number.POSITIVE_INFINITY : Number(max)];
}
