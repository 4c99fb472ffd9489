/** The laws of whole networks on the GPU engine: of prompts at once, in chunks and in blocks, and of what methods keep. */
import { hold } from "../../support/gpu-suite.ts";

hold(0.02, "laws/network", "laws/engine", "laws/blocks");
