/** A worker's thread that opens sessions and ends, in one of two ways, when it is asked to run one. */
import { parentPort } from "node:worker_threads";

parentPort?.on("message", ({ id, act, fetch }: { id: number; act: string; fetch?: readonly string[] }) => {
  if (act !== "run") parentPort?.postMessage({ id, gives: 1 });
  else if (fetch?.[0] === "exit") process.exit(3);
  else throw new RangeError("a fault of the thread's own");
});
