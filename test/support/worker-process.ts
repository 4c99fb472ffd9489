/** Works on a model in a worker, leaves it undisposed or disposes it (`worker-process.ts dispose`), and has nothing more to do. */
import { prefill } from "../../src/index.ts";
import { tinyModel } from "./tiny-model.ts";

const model = await tinyModel({}, 1, { worker: true });
const { logits } = await prefill(
  model,
  Int32Array.from({ length: 40 }, (_, i) => i),
);
console.log(logits.length);
if (process.argv[2] === "dispose") model[Symbol.dispose]();
