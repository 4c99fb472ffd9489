/** What the benchmarks' command lines share: numbers among their arguments, and how a user's mistake ends. */
import { KvError } from "../src/index.ts";

/** @throws KvError `invalid_option` unless `text` is an integer of at least `least` */
export function integer(option: string, text: string, least = 1): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
  throw new KvError({ code: "invalid_option", path: [option], found: text, allowed: `an integer >= ${least}` });
}

/** Integers separated by commas. @throws KvError `invalid_option` */
export const integers = (option: string, text: string, least = 1): number[] =>
  text.split(",").map((part) => integer(option, part, least));

/** Runs a benchmark; what its user did wrong ends in one line. */
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
