import { z } from "zod";
import type { Context } from "../context.ts";
import { KvError } from "../error.ts";
import { count } from "../methods/options.ts";
import { observations } from "../observations.ts";
import { checked } from "../options.ts";
import { lastQueries } from "../scoring/observed.ts";
import type { LayerObservation } from "../scoring/score.ts";
import { binned, type Edges, evenEdges } from "./bins.ts";
import { entropy } from "./spread.ts";

/** Positions that attract attention whatever they hold: StreamingLLM's default. */
const SINKS = 4;
const MOST_BINS = 256;

/** Where a part of the prompt begins, such as a document. */
export interface Boundary {
  readonly position: number;
  readonly label: string;
}

export interface FunnelOptions {
  /** Last tokens of the prompt whose attention is looked at; default 8. At most 64, unless prefill observed more. */
  readonly window?: number | undefined;
  /** Bins along the prompt; default one per token and at most 256, which a picture has room for. */
  readonly bins?: number | undefined;
  /** Where the prompt's parts begin, for pictures. */
  readonly boundaries?: readonly Boundary[] | undefined;
}

export interface FunnelLayer {
  /** Share of the window's attention that falls on each bin: the mean over query heads and the window's queries. Sums to 1. */
  readonly mass: readonly number[];
  /** Of that mean over positions, before binning, in nats. */
  readonly entropy: number;
  /** exp(entropy): so many tokens, equally attended to, would be as spread out. */
  readonly effectiveTokens: number;
  /** Share on the prompt's first 4 positions. */
  readonly sinks: number;
  /** Share on the window's own positions. In prompts shorter than window + 4 it overlaps the sinks'. */
  readonly window: number;
}

export interface Funnel {
  /** Tokens of the prompt. */
  readonly length: number;
  readonly window: number;
  readonly edges: Edges;
  readonly boundaries: readonly Boundary[];
  /** Lowest first. */
  readonly layers: readonly FunnelLayer[];
}

const positionError = "an integer >= 0 and below the prompt's length";
const schema = z.object({
  window: count(1).default(8),
  bins: count(1).optional(),
  boundaries: z
    .array(
      z.object({ position: z.int(positionError).min(0, positionError), label: z.string("text") }, "a boundary"),
      "a list of { position, label }",
    )
    .default([]),
});

/**
 * Where the last queries' attention falls along a prompt, layer by layer: spread out in low layers, on a few tokens in high ones.
 *
 * @throws KvError `invalid_option`, `window_too_long`, `observation_missing` for a window beyond what prefill observed, `disposed`
 * @see https://arxiv.org/abs/2406.02069 section 3, "pyramidal information funneling"
 */
export async function funnel(context: Context, options: FunnelOptions = {}): Promise<Funnel> {
  const { window, bins, boundaries } = checked(schema, options, "funnel");
  const { length } = context;
  for (const [i, { position }] of boundaries.entries()) {
    const path = ["funnel", "boundaries", i, "position"];
    if (position >= length)
      throw new KvError({
        code: "invalid_option",
        path,
        found: position,
        allowed: `below ${length}, the prompt's length`,
      });
  }
  const edges = evenEdges(length, bins ?? MOST_BINS);
  const layers: FunnelLayer[] = [];
  for (const observed of observations(context))
    layers.push(layerOf(await meanAttention(observed, window), window, edges));
  return { length, window, edges, boundaries: boundaries.toSorted((a, b) => a.position - b.position), layers };
}

/** What the last `window` queries attend to, on average over them and the query heads: [n]. */
async function meanAttention(layer: LayerObservation, window: number): Promise<Float64Array> {
  const { data, dims } = await layer.kernels.columnSums(lastQueries(layer, window), layer.keys, layer); // [H, n]
  const [heads = 0, length = 0] = dims;
  const mass = new Float64Array(length);
  data.forEach((sum, i) => {
    mass[i % length] = (mass[i % length] ?? 0) + sum / (heads * window);
  });
  if (mass.every(Number.isFinite)) return mass;
  const path = ["funnel", "layers", layer.layer];
  throw new KvError({ code: "engine_failed", path, found: "attention that is NaN", allowed: "finite" });
}

function layerOf(mass: Float64Array, window: number, edges: Edges): FunnelLayer {
  const nats = entropy(mass);
  const share = (from: number, to: number) => mass.subarray(from, to).reduce((sum, p) => sum + p, 0);
  return {
    mass: binned(mass, edges),
    entropy: nats,
    effectiveTokens: Math.exp(nats),
    sinks: share(0, SINKS),
    window: share(mass.length - window, mass.length),
  };
}
