/**
 * Sessions on a thread of their own, so that the caller's stays free while the network runs: timers, servers and abort signals
 * go on.
 *
 * The same promises as on this thread, and the same results to the bit. Runs happen one after the other, in the order they were
 * asked for. Feeds are read where they lie (memory.ts): they are kept alive until the run is over, and whoever asked for it leaves
 * them alone until then. A thread that ends for whatever reason is an `engine_failed` of every run,
 * under way or to come. It keeps the process alive only while it has something to do.
 *
 * A step over 30 layers, 200 feeds, takes 0.35 ms more than here (least of 800: 1.55 ms and 1.20, tiny layers, Bun; 2026-11), a
 * chunk of 512 tokens nothing that can be measured, and memory is the same: an option, because a script has no use for it.
 */
import { Worker } from "node:worker_threads";
import { KvError, type KvErrorDetails } from "../../error.ts";
import { type Feed, filled, type Session, type SessionHost } from "../session.ts";
import { type Feeds, lend, refuseWithoutPointers } from "./memory.ts";
import { type Gives, type Numbered, type Reply, type Request, workerFailed } from "./messages.ts";

interface Pending {
  readonly resolve: (gives: never) => void;
  readonly reject: (fault: KvError) => void;
  /** What the thread may be reading. */
  readonly lent: Feeds;
}

const DISPOSED: KvErrorDetails = { code: "disposed", path: ["worker"], found: "disposed", allowed: "a worker in use" };

/** @throws KvError `invalid_option` where threads cannot lend each other memory: under Node */
export function openWorker(script: URL = new URL("./thread.ts", import.meta.url)): SessionHost {
  refuseWithoutPointers();
  const worker = new Worker(script);
  const pending = new Map<number, Pending>();
  let asked = 0;
  let ended: KvErrorDetails | null = null;

  function ask<A extends Request["act"]>(
    request: Extract<Request, { act: A }>,
    { moved = [], lent = {} }: { moved?: readonly ArrayBuffer[]; lent?: Feeds } = {},
  ): Promise<Gives[A]> {
    if (ended !== null) return Promise.reject(new KvError(ended));
    const id = ++asked;
    return new Promise((resolve, reject) => {
      worker.postMessage({ ...request, id }, [...moved]);
      if (pending.size === 0) worker.ref();
      pending.set(id, { resolve, reject, lent });
    });
  }

  function settled(id: number): Pending | undefined {
    const one = pending.get(id);
    pending.delete(id);
    if (pending.size === 0) worker.unref();
    return one;
  }

  function died(details: KvErrorDetails): void {
    ended ??= details;
    for (const id of [...pending.keys()]) settled(id)?.reject(new KvError(details));
  }

  worker.on("message", (reply: Numbered<Reply>) => {
    const one = settled(reply.id);
    if ("fault" in reply) one?.reject(new KvError(reply.fault));
    else one?.resolve(reply.gives as never);
  });
  worker.on("error", (cause) => died(workerFailed(String(cause), cause)));
  worker.on("exit", (code) => died(workerFailed(`ended with exit code ${code}`)));
  // A process that ends while its worker starts may hang under Bun, so it is waited for.
  ask<"start">({ act: "start" }).catch(() => undefined);

  const sessionOf = (session: number): Session => ({
    run<Name extends string>(feeds: Feeds, fetch: readonly Name[]) {
      const request = { act: "run", session, feeds: lend(feeds), fetch } as const;
      return ask<"run">(request, { lent: feeds }) as Promise<Record<Name, Feed>>;
    },
    [Symbol.asyncDispose]: () =>
      ask<"release">({ act: "release", session }).then(
        () => undefined,
        () => undefined,
      ),
  });

  return {
    async open(model, options = {}) {
      const weights = filled(model);
      const moved = weights.map(({ data }) => data.buffer);
      return sessionOf(await ask<"open">({ act: "open", graph: model.graph, weights, options }, { moved }));
    },
    openFile: async (path, options = {}) => sessionOf(await ask<"openFile">({ act: "openFile", path, options })),
    [Symbol.dispose]() {
      if (ended !== null) return;
      const end = () => void worker.terminate();
      ask<"close">({ act: "close" }).then(end, end);
      ended = DISPOSED;
    },
  };
}
