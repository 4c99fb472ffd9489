/** Loads a model with its graph kept, and prints the logits of a fixed prompt: `graph-process.ts MODEL CACHE_DIR`. */
import { loadModel } from "../../src/index.ts";
import { logitsOf } from "./graph-stage.ts";

const [ref, cacheDir] = process.argv.slice(2);
using model = await loadModel(ref, { cacheDir, graphCache: true, threads: 1, progress: false });
console.log(JSON.stringify([...(await logitsOf(model))]));
