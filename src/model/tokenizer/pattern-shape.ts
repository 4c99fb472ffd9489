/**
 * Whether a regular expression may scan a character twice, told from how it is written.
 *
 * The rule: after a repeat without bound nothing may follow that can fail. What was scanned is then matched, so the time
 * is linear in the text. What stands before it, or beside it, may only try a bounded number of ways.
 */

/** Of a part of a pattern. */
interface Shape {
  /** Matches whatever comes: it may be empty, without a condition. */
  readonly sure: boolean;
  /** Repeats without bound. */
  readonly open: boolean;
  /** Steps that one attempt takes at most, apart from what an open part matches. */
  readonly work: number;
}

type Parsed = Shape & { readonly end: number };
type Atom = Parsed & { readonly kind: "character" | "condition" | "group" };

/** Real patterns need less than 50. */
const maxWork = 2000;
const maxDepth = 20;

/** Why `pattern` is not seen to match in linear time; null where it is. Conservative: what it doesn't know, it refuses. */
export function scansTwice(pattern: string): string | null {
  try {
    const { work, end } = alternatives(pattern, 0, 0);
    if (end < pattern.length) return "a parenthesis too many";
    return work > maxWork ? "too many ways to match" : null;
  } catch (fault) {
    if (fault instanceof Fault) return fault.message;
    throw fault;
  }
}

class Fault extends Error {}

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

function atomAt(pattern: string, start: number, depth: number): Atom {
  const [first] = pattern.slice(start);
  if (first === "(") return groupAt(pattern, start, depth);
  if (first === "[") return character(classEnd(pattern, start, 0));
  if (first === "^" || first === "$") return condition(start + 1);
  if (quantifier.test(pattern.slice(start, start + 20))) throw new Fault("a repeat of nothing");
  if (first !== "\\") return character(start + 1);
  const written = escapes.exec(pattern.slice(start));
  if (!written) throw new Fault(`${pattern.slice(start, start + 2)}, which is not known here`);
  const end = start + written[0].length;
  return /^\\[bBAzZ]$/.test(written[0]) ? condition(end) : character(end);
}

/** One character in one way or another; backreferences and their like are not among them. */
const escapes = /^\\(?:[pPxu]\{[^}]*\}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[wWdDsShHnrtfvaebBAzZ]|[^\p{L}\p{N}])/u;

const character = (end: number): Atom => ({ kind: "character", sure: false, open: false, work: 1, end });
const condition = (end: number): Atom => ({ kind: "condition", sure: false, open: false, work: 1, end });

function groupAt(pattern: string, start: number, depth: number): Atom {
  const [opening = "("] = /^\(\?(?:i:|[:=!>])/.exec(pattern.slice(start, start + 4)) ?? [];
  const inner = start + opening.length;
  if (opening === "(" && pattern[inner] === "?")
    throw new Fault(`${pattern.slice(start, start + 4)}, which is refused`);
  const { end, ...shape } = alternatives(pattern, inner, depth + 1);
  if (pattern[end] !== ")") throw new Fault("an open parenthesis");
  if (!/[=!]$/.test(opening)) return { ...shape, kind: "group", end: end + 1 };
  if (shape.open) throw new Fault("a condition without bound");
  return { ...shape, kind: "condition", sure: false, end: end + 1 };
}

/** Classes may hold classes; a bracket that comes first closes nothing. */
function classEnd(pattern: string, start: number, depth: number): number {
  if (depth > maxDepth) throw new Fault("classes too deep");
  let at = start + (pattern[start + 1] === "^" ? 2 : 1);
  if (pattern[at] === "]") at++;
  while (pattern[at] !== "]") {
    if (at >= pattern.length) throw new Fault("an open bracket");
    if (pattern[at] === "[") at = classEnd(pattern, at, depth + 1);
    else if (pattern[at] === "\\") at += /^\\(?:[pPxu]\{[^}]*\}|.?)/su.exec(pattern.slice(at))?.[0].length ?? 2;
    else at++;
  }
  return at + 1;
}
