/** The laws of caches on the GPU engine: batches, several tokens at once, files, other forms and positions, and what wrappers make of each other. */
import { hold } from "../../support/gpu-suite.ts";

const others = ["laws/compact", "laws/minicache", "laws/packed", "laws/combinations"];
hold(0.03, "laws/batch", "laws/extend", "laws/saved-cache", ...others);
