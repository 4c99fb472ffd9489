/** A worker's thread that opens graphs, says what files it was to open, and ends, in one of two ways, when it is to run one. */
import { parentPort } from "node:worker_threads";
import type { Numbered, Request } from "../../src/onnx/worker/messages.ts";

parentPort?.on("message", (request: Numbered<Request>) => {
  const { id, act } = request;
  if (act === "openFile") {
    const fault = { code: "engine_failed", path: [], found: JSON.stringify(request), allowed: "another thread" };
    parentPort?.postMessage({ id, fault });
  } else if (act !== "run") parentPort?.postMessage({ id, gives: 1 });
  else if (request.fetch[0] === "exit") process.exit(3);
  else throw new RangeError("a fault of the thread's own");
});
