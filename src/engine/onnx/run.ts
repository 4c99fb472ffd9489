import type { Kernels } from "../../../kernels/index.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { Weights } from "../../model/weights/weights.ts";
import type { Feed, Session } from "../../onnx/session.ts";
import type { RotaryTables } from "../rotary-tables.ts";
import type { Feeds } from "./rows.ts";

/** What all runs of one engine share. */
export interface Run {
  readonly config: ModelConfig;
  readonly weights: Weights;
  readonly session: Session;
  readonly kernels: Kernels;
  readonly tables: RotaryTables;
  /** Something for inputs that a run does not look at. */
  readonly idle: Feeds;
}

/** The numbers of an fp32 output that was fetched. */
export const floats = (outputs: Readonly<Record<string, Feed>>, name: string): Float32Array =>
  (outputs[name]?.data ?? new Float32Array(0)) as Float32Array;
