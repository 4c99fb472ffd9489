/** The laws of decoding policies on the GPU engine. */
import { hold } from "../../support/gpu-suite.ts";

hold(0.02, "laws/decoding", "decoding/streaming", "decoding/every-steps");
