/** Takes from a view what a score asks for, or says what was not observed. */
import type { Tensor } from "../../kernels/index.ts";
import { KvError } from "../error.ts";
import type { QueryMoments } from "../observation.ts";
import type { PromptText } from "./probe.ts";
import type { LayerObservation, LayerView } from "./score.ts";

/**
 * The last w of the observed queries: [H, w, d].
 *
 * @throws KvError `observation_missing` when fewer were observed, `window_too_long` when the prompt has fewer tokens
 */
export function lastQueries({ queries, length }: LayerObservation, w: number): Tensor {
  const [heads = 0, observed = 0, size = 0] = queries.dims;
  if (w > length) {
    const allowed = `at most ${length}, the prompt's length`;
    throw new KvError({ code: "window_too_long", path: ["window"], found: w, allowed });
  }
  if (w > observed) throw missing("queries", `the last ${observed}`, `the last ${w} at least`);
  if (w === observed) return queries;
  const last = new Float32Array(heads * w * size);
  for (let h = 0; h < heads; h++) {
    const end = (h + 1) * observed * size;
    last.set(queries.data.subarray(end - w * size, end), h * w * size);
  }
  return { data: last, dims: [heads, w, size] };
}

/** The queries of all tokens: [H, n, d]. @throws KvError `observation_missing` when only the last were observed */
export function allQueries({ queries, length }: LayerObservation): Tensor {
  const observed = queries.dims[1] ?? 0;
  if (observed < length) throw missing("queries", `the last ${observed}`, `all ${length}`);
  return queries;
}

/** Sums of the queries before RoPE, and of their products. @throws KvError `observation_missing` */
export function observedMoments({ queryMoments }: LayerObservation): QueryMoments {
  if (queryMoments === null) throw missing("moments", "not observed", "observed during prefill");
  return queryMoments;
}

/** What a probe saw: [H, n]. @throws KvError `observation_missing` */
export function probed({ probes }: LayerObservation, name: string): Tensor {
  const seen = probes.get(name);
  if (seen === undefined) throw missing(name, "not run", "run after the prompt");
  return seen;
}

/** The prompt by position. @throws KvError `observation_missing` for one that went by in pieces */
export function observedPrompt({ prompt }: LayerObservation): PromptText {
  if (prompt === null) throw missing("prompt", "gone by in pieces", "one that is held");
  return prompt;
}

/** Column sums over all queries: [H, n]. @throws KvError `observation_missing` */
export function observedColumnSums({ columnSums }: LayerView): Tensor {
  if (columnSums === null) throw missing("columnSums", "not observed", "observed during prefill");
  return columnSums;
}

/**
 * The candidates' columns of a matrix [rows, m] whose first column is position 0: [rows, to - from].
 *
 * @throws KvError `invalid_option` when a candidate has no column: its score needs a later end of the always-kept tokens
 */
export function candidateColumns({ data, dims }: Tensor, { candidates: { from, to } }: LayerView): Tensor {
  const [rows = 0, columns = 0] = dims;
  if (to > columns) {
    const allowed = `at most ${columns}, where this score's own window begins`;
    throw new KvError({
      code: "invalid_option",
      path: ["candidates", "to"],
      found: to,
      allowed,
      hint: "keep the whole window",
    });
  }
  if (from === 0 && to === columns) return { data, dims };
  const width = to - from;
  const cut = new Float32Array(rows * width);
  for (let r = 0; r < rows; r++) cut.set(data.subarray(r * columns + from, r * columns + to), r * width);
  return { data: cut, dims: [rows, width] };
}

function missing(what: string, found: string, allowed: string): KvError {
  const hint = "pass the method in `observe` of `prefill`: prefill(model, prompt, { observe: [method] })";
  return new KvError({ code: "observation_missing", path: ["context", what], found, allowed, hint });
}
