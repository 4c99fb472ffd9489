/** The thread's side: opens sessions and runs them, one request after the other. */
import { parentPort } from "node:worker_threads";
import { KvError } from "../../error.ts";
import { openFilled, openSessionFile, type Session } from "../session.ts";
import { Borrowed } from "./memory.ts";
import { type Gives, type Numbered, posted, type Reply, type Request, workerFailed } from "./messages.ts";

const sessions = new Map<number, Session>();
const borrowed = new Borrowed();
let opened = 0;
let last: Promise<void> = Promise.resolve();

parentPort?.on("message", (request: Numbered<Request>) => {
  last = last.then(() => answer(request));
});

async function answer(request: Numbered<Request>): Promise<void> {
  try {
    const gives = await done(request);
    // Outputs are of no use here: they are moved, not copied.
    reply({ id: request.id, gives }, request.act === "run" ? buffersOf(gives as Gives["run"]) : []);
  } catch (fault) {
    reply({ id: request.id, fault: posted(fault) });
  }
}

const reply = (message: Numbered<Reply>, moved: readonly ArrayBuffer[] = []) =>
  parentPort?.postMessage(message, [...moved]);

async function done(request: Request): Promise<Gives[keyof Gives]> {
  switch (request.act) {
    case "start":
      return null;
    case "open":
      return known(await openFilled(request.graph, request.weights, request.options));
    case "openFile":
      return known(await openSessionFile(request.path, request.options));
    case "run": {
      const session = sessions.get(request.session);
      if (session === undefined) throw new KvError(workerFailed("a released session"));
      return await session.run(borrowed.feeds(request.feeds), request.fetch);
    }
    case "release":
      await release(request.session);
      return null;
    case "close":
      for (const id of sessions.keys()) await release(id);
      return null;
  }
}

function known(session: Session): number {
  sessions.set(++opened, session);
  return opened;
}

async function release(id: number): Promise<void> {
  const session = sessions.get(id);
  sessions.delete(id);
  await session?.[Symbol.asyncDispose]();
}

const buffersOf = (outputs: Gives["run"]) => [
  ...new Set(Object.values(outputs).map(({ data }) => data.buffer as ArrayBuffer)),
];
