/** Takes turns: A B C A B C, each on a machine as quiet as patience allows. */
import type { PeerName, Peers } from "./installed.ts";
import type { Limit } from "./limit.ts";
import { QUIET, quiet } from "./load.ts";
import type { Request } from "./protocol.ts";
import type { Sample, Worker } from "./worker.ts";

export type Samples = ReadonlyMap<string, readonly Sample[]>;
/** One turn: whom to ask what. The key names the samples. */
export interface Turn {
  readonly key: string;
  readonly peer: PeerName;
  readonly request: Request;
  /** Turns of this kind, if fewer than the round's. */
  readonly atMost?: number;
}

export class Bench {
  /** What the hardware does at most, if that was measured. */
  readonly limit: Limit | null;
  readonly #peers: Peers;
  readonly #log: (line: string) => void;
  #patience: number;

  constructor(peers: Peers, patience: number, limit: Limit | null, log: (line: string) => void) {
    this.#peers = peers;
    this.#patience = patience;
    this.limit = limit;
    this.#log = log;
  }

  /** Asks once, without timing. */
  async prepare(peer: PeerName, request: Request): Promise<void> {
    await this.#peers.workers.get(peer)?.ask(request);
  }

  async everyone(request: Request): Promise<void> {
    for (const worker of this.#peers.workers.values()) await worker.ask(request);
  }

  async rounds(repeat: number, turns: readonly Turn[]): Promise<Samples> {
    const samples = new Map<string, Sample[]>();
    for (let round = 0; round < repeat; round++) {
      for (const { key, peer, request, atMost = repeat } of turns) {
        const worker = this.#peers.workers.get(peer);
        if (worker === undefined || round >= atMost || this.#hopeless(samples.get(key))) continue;
        const sample = await this.#quietly(worker, request);
        const { seconds, cpu, others } = sample;
        this.#log(`${key} ${seconds.toFixed(2)} s, CPU ${cpu.toFixed(2)} s, others ${(100 * others).toFixed(0)} %`);
        samples.set(key, [...(samples.get(key) ?? []), sample]);
      }
    }
    return samples;
  }

  /** A busy machine makes a decoding step a hundred times as slow, and asking more often tells nothing more. */
  #hopeless(samples: readonly Sample[] = []): boolean {
    return this.#patience <= 0 && samples.some(({ seconds, others }) => others > QUIET && seconds > 3);
  }

  /** Asks when the machine is quiet, and again if it did not stay so, as long as patience lasts. */
  async #quietly(worker: Worker, request: Request): Promise<Sample> {
    for (;;) {
      this.#patience = await quiet(this.#patience);
      const sample = await worker.ask(request);
      if (!(sample.others > QUIET) || sample.seconds > this.#patience) return sample;
      this.#patience -= sample.seconds;
    }
  }
}
