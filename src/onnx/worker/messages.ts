/** What the two sides of a worker say to each other: every request has one reply, in order. */
import { KvError, type KvErrorDetails } from "../../error.ts";
import type { Feed, FilledWeight, SessionOptions } from "../session.ts";
import type { Lent } from "./memory.ts";

/** Sessions go by the numbers that opening gave them. */
export type Request =
  | { readonly act: "start" }
  | {
      readonly act: "open";
      readonly graph: Uint8Array;
      readonly weights: readonly FilledWeight[];
      readonly options: SessionOptions;
    }
  | { readonly act: "openFile"; readonly path: string; readonly options: SessionOptions }
  | {
      readonly act: "run";
      readonly session: number;
      readonly feeds: Lent;
      readonly fetch: readonly string[];
    }
  | { readonly act: "release"; readonly session: number }
  /** Releases every session; the last request. */
  | { readonly act: "close" };

export interface Gives {
  readonly start: null;
  readonly open: number;
  readonly openFile: number;
  readonly run: Readonly<Record<string, Feed>>;
  readonly release: null;
  readonly close: null;
}

export type Reply = { readonly gives: Gives[keyof Gives] } | { readonly fault: KvErrorDetails };
export type Numbered<T> = T & { readonly id: number };

/** A fault as data that can be posted, with an `Error` at most as its cause. */
export function posted(fault: unknown): KvErrorDetails {
  const cause = fault instanceof KvError ? fault.cause : fault;
  const portable = cause instanceof Error ? cause : String(cause);
  if (!(fault instanceof KvError)) return workerFailed(String(fault), portable);
  const { code, path, found, allowed } = fault;
  return { code, path, found: String(found), allowed, cause: portable };
}

export const workerFailed = (found: string, cause?: unknown): KvErrorDetails => ({
  code: "engine_failed",
  path: ["worker"],
  found,
  allowed: "a thread that answers",
  ...(cause === undefined ? {} : { cause }),
});
