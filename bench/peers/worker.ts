/** The runner's end of the workers' protocol. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { others } from "./load.ts";
import { ANSWER, type Answer, type Request } from "./protocol.ts";

/** An answer, and the share of the machine that others took meanwhile. */
export interface Sample extends Answer {
  readonly others: number;
}

export interface Worker extends AsyncDisposable {
  readonly versions: string;
  ask(request: Request): Promise<Sample>;
}

/** Starts a worker and waits until its model is loaded. */
export async function start(command: readonly string[], threads: number): Promise<Worker> {
  const child = Bun.spawn([...command], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    env: {
      ...process.env,
      PYRAMIDKV_BENCH_THREADS: String(threads),
      HF_HUB_OFFLINE: "1",
      TOKENIZERS_PARALLELISM: "false",
    },
  });
  const complaints = new Response(child.stderr).text();
  const lines = createInterface({ input: Readable.fromWeb(child.stdout as never) })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${command.join(" ")} ended: ${(await complaints).trim().slice(-600)}`);
      if (value.startsWith(ANSWER)) return JSON.parse(value.slice(ANSWER.length));
    }
  };
  return {
    versions: String(await answer()),
    async ask(request) {
      const share = others();
      child.stdin.write(`${JSON.stringify(request)}\n`);
      child.stdin.flush();
      const answered = (await answer()) as Answer;
      return { ...answered, others: share(answered.cpu) };
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await child.exited;
    },
  };
}
