/** A model (or data set) on the Hub, how it is asked for, and what a refusal means. */
import { KvError } from "../../error.ts";
import { reason } from "./faults.ts";
import { HttpFault } from "./guarded-fetch.ts";
import type { Settings } from "./options.ts";

export interface HubModel {
  /** "owner/name", or "datasets/owner/name", as in the Hub's addresses. */
  readonly id: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** What kind of repository an id is of, and its name there. */
export const repoOf = (id: string): { readonly type: "model" | "dataset"; readonly name: string } =>
  id.startsWith(DATASETS) ? { type: "dataset", name: id.slice(DATASETS.length) } : { type: "model", name: id };

const DATASETS = "datasets/";

export interface Access {
  readonly hubUrl: string;
  readonly accessToken?: string;
}

/** What every call of the library is given. */
export const access = ({ hubUrl, token }: Settings): Access => ({
  hubUrl,
  ...(token !== null && { accessToken: token }),
});

/** What a failed request means to the caller: refused, absent, not understood, or never answered. */
export function hubError(thrown: unknown, { id, revision }: HubModel, { hubUrl, token }: Settings): unknown {
  if (thrown instanceof KvError) return thrown;
  const status = thrown instanceof HttpFault ? thrown.status : null;
  const { type } = repoOf(id);
  const base = { path: [type], found: `${id}@${revision}`, hint: `${hubUrl}: ${reason(thrown)}`, cause: thrown };
  if (status === 401 || status === 403) {
    const advice = token === null ? "it may be private or gated, so set a token" : "the token in use may not read it";
    const allowed = `a ${type} that exists and may be read`;
    return new KvError({ ...base, code: "access_denied", allowed, hint: `${base.hint}; ${advice} (HF_TOKEN)` });
  }
  if (status === 404)
    return new KvError({ ...base, code: "model_not_found", allowed: `a ${type} and revision that exist` });
  const refused = status !== null && status < 500 && status !== 429;
  return new KvError({ ...base, code: refused ? "download_failed" : "model_unreachable", allowed: "reachable" });
}
