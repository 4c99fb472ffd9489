/** What a cached graph is called: by where its weights came from, and by everything it was made of. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import ort from "onnxruntime-node/package.json" with { type: "json" };
import type { Weights } from "../../../model/weights/weights.ts";
import type { OnnxModel } from "../../../onnx/graph.ts";
import { version } from "../../../version.ts";
import type { Precision } from "../../index.ts";

/** To be raised when the same weights become other values, or lie otherwise in the folder. The graph itself is hashed. */
const FORMAT = 1;

export interface GraphName {
  /** Of the weights' paths and the precision: what replaces one another. No prefix of another's. */
  readonly place: string;
  /** The folder: `place`, then what hashes the graph, the weights' identity and the versions. */
  readonly folder: string;
}

/**
 * null where the weights are not files, and so have nothing to be known by.
 *
 * Weights are known by their files' sizes, inodes and times (as git knows what changed), not by their hash: hashing takes a
 * second per GB, as long as the whole warm load may (2026-11). A file that was moved or touched costs one rebuild.
 * The configuration and the shapes are in the graph's own bytes.
 */
export function graphName({ graph }: OnnxModel, weights: Weights, precision: Precision): GraphName | null {
  const identity = weights.identity();
  if (identity === null) return null;
  const place = `${digest(JSON.stringify(weights.files.map((path) => resolve(path))))}.${precision}`;
  const versions = JSON.stringify([FORMAT, version, ort.version]);
  return { place, folder: `${place}-${digest(versions, identity, graph)}` };
}

/** 96 bits: two names that meet by chance are not to be expected. */
function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(createHash("sha256").update(part).digest());
  return hash.digest("hex").slice(0, 24);
}
