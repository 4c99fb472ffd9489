/** What a caller may say about a task of LongBench. */
import process from "node:process";
import { z } from "zod";
import type { KvError } from "../../../error.ts";
import { count } from "../../../methods/options.ts";
import { hubReference } from "../../../model/source/reference.ts";
import type { Reader } from "../../task.ts";

export interface LongBenchOptions {
  /** Holds `<dataset>.jsonl` (v2: `data.json`), itself or in `data/`, or the Hub's `data.zip`; default: the Hub is asked. */
  readonly folder?: string | null | undefined;
  /** The data set on the Hub, "owner/name" or "owner/name@revision"; default "THUDM/LongBench", for v2 "THUDM/LongBench-v2". */
  readonly hub?: string | undefined;
  /** At most so many, the first ones of the file; default: all. */
  readonly examples?: number | null | undefined;
  /** Tokens that a prompt is cut to in the middle, before the chat template; default: as many as the context has beside the answer. */
  readonly maxLength?: number | null | undefined;
  /** false leaves out the model's chat template, as for a model that has none; default true: where the published evaluation has it. */
  readonly chat?: boolean | undefined;
  /** "skip" leaves out lines that are no examples and tells the reader's `onSkip` of each; default "fail". */
  readonly onMalformed?: "fail" | "skip" | undefined;
}

const path = "a folder";
const dataset = "a data set on the Hub (owner/name or owner/name@revision)";

/** @param hub what is read by default */
export const optionsWith = (hub: string) => ({
  folder: z.string(path).min(1, path).nullable().default(null),
  hub: z
    .string(dataset)
    .refine((ref) => hubReference(ref) !== null, dataset)
    .default(hub),
  examples: count(1).nullable().default(null),
  maxLength: count(2).nullable().default(null),
  chat: z.boolean("true or false").default(true),
  onMalformed: z.enum(["fail", "skip"], '"fail" or "skip"').default("fail"),
});

/** What is told of a piece of a file that is no example; null where that is the end. */
export const faultsTo = (onMalformed: "fail" | "skip", { onSkip = warn }: Reader): ((fault: KvError) => void) | null =>
  onMalformed === "fail" ? null : onSkip;

const warn = (fault: KvError): void => process.emitWarning(fault);
