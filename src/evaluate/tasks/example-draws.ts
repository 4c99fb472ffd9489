/** Draws of one example, which depend neither on what other examples there are, nor on its length: what is asked is the same at every one. */
import { createHash } from "node:crypto";
import { type Draws, draws } from "../draws.ts";

export const drawsOf = (seed: number, ...example: readonly (string | number)[]): Draws =>
  draws(
    createHash("sha256")
      .update(JSON.stringify([seed, ...example]))
      .digest()
      .readInt32LE(),
  );
