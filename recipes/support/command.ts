/** What command lines share: numbers and names among their arguments, and how a user's mistake ends. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { KvError } from "../../src/error.ts";

/** @throws KvError `invalid_option` unless `text` is an integer of at least `least` */
export function integer(option: string, text: string, least = 1): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
  throw new KvError({ code: "invalid_option", path: [option], found: text, allowed: `an integer >= ${least}` });
}

/** Integers separated by commas. @throws KvError `invalid_option` */
export const integers = (option: string, text: string, least = 1): number[] =>
  text.split(",").map((part) => integer(option, part, least));

/** Of a record, the values named by a list separated by commas. @throws KvError `invalid_option`, which lists the known names */
export const named = <T>(option: string, text: string, known: Readonly<Record<string, T>>): T[] =>
  text.split(",").map((part) => one(option, part.trim(), known));

/** Of a record, the one value that is named. @throws KvError `invalid_option`, which lists the known names */
export function one<T>(option: string, name: string, known: Readonly<Record<string, T>>): T {
  const found = new Map(Object.entries(known)).get(name);
  if (found !== undefined) return found;
  const names = new Intl.ListFormat("en", { type: "disjunction" }).format(Object.keys(known));
  throw new KvError({ code: "invalid_option", path: [option], found: name, allowed: `one of ${names}` });
}

/** The options of a command line. @throws KvError `invalid_option` */
export function args<Options extends NonNullable<ParseArgsConfig["options"]>>(options: Options, positionals = false) {
  const argv = process.argv.slice(2);
  try {
    return parseArgs({ args: argv, options, allowPositionals: positionals, strict: true });
  } catch (cause) {
    const hint = String(cause instanceof Error ? cause.message : cause).replace(/\.$/, "");
    const allowed = "as --help says";
    throw new KvError({ code: "invalid_option", path: ["command line"], found: argv.join(" "), allowed, hint, cause });
  }
}

/** Runs a recipe or a benchmark; what its user did wrong ends in one line. */
export async function command(name: string, main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (fault) {
    if (!(fault instanceof KvError || isAboutArguments(fault))) throw fault;
    console.error(`${name}: ${fault.message.replace(/\s*\n\s*/g, " ")}`);
    process.exitCode = 1;
  }
}

const isAboutArguments = (fault: unknown): fault is TypeError =>
  fault instanceof TypeError && "code" in fault && String(fault.code).startsWith("ERR_PARSE_ARGS_");
