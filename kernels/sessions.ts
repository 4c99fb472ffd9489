/** The onnxruntime sessions behind the CPU kernels: made when first needed, one per graph structure, released together. */
import { KvError } from "../src/error.ts";
import type { OnnxModel } from "../src/onnx/graph.ts";
import { type Feed, type Session, type SessionHost, thisThread } from "../src/onnx/session.ts";
import { type Tensor, tensor } from "./tensor.ts";

export interface SessionOptions {
  /** Threads for the kernels that multiply matrices; default: onnxruntime's choice. The rest are too short to share. */
  readonly threads?: number;
  /** Where the sessions live; default: on the caller's thread. */
  readonly host?: SessionHost;
}

export interface Sessions extends Disposable {
  /** The session of this name; `build` is called once. `parallel` grants it all the threads. */
  get(name: string, build: () => OnnxModel, parallel?: "parallel"): Promise<Session>;
}

/** An empty set of sessions. */
export function openSessions({ threads, host = thisThread }: SessionOptions = {}): Sessions {
  const opened = new Map<string, Promise<Session>>();
  let disposed = false;
  return {
    async get(name, build, parallel) {
      if (disposed) {
        throw new KvError({
          code: "disposed",
          path: ["kernels", name],
          found: "disposed kernels",
          allowed: "kernels in use",
        });
      }
      const known = opened.get(name);
      if (known !== undefined) return known;
      const options = parallel === undefined ? { threads: 1 } : threads === undefined ? {} : { threads };
      const session = host.open(build(), options);
      opened.set(name, session);
      return session;
    },
    [Symbol.dispose]() {
      disposed = true;
      for (const session of opened.values()) void session.then((s) => s[Symbol.asyncDispose]()).catch(() => undefined);
      opened.clear();
    },
  };
}

/** Runs a session of one fp32 output, `out`. */
export async function runForFloats(
  session: Session,
  feeds: Readonly<Record<string, Feed>>,
  ...dims: readonly number[]
): Promise<Tensor> {
  const { out } = await session.run(feeds, ["out"]);
  return tensor(out.data as Float32Array, ...dims);
}
