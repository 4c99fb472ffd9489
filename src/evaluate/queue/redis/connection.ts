/** A connection to Redis that gives up: what cannot be reached is an error, not a wait without end. */
import { Redis } from "ioredis";
import { z } from "zod";
import { KvError } from "../../../error.ts";
import { reason } from "../../../model/source/faults.ts";
import { invalid } from "../../../options.ts";

export interface RedisOptions {
  /** redis://host:port, rediss:// for TLS; with user, password and database as usual. */
  readonly redis: string;
  /** Of the queue: one sweep's coordinator and workers have it in common. */
  readonly name: string;
  /** Comes before the queue's name in Redis's keys; default "pyramidkv". */
  readonly prefix?: string;
}

const part = "letters, digits, - and _";
const word = z.string(part).regex(/^[\w-]+$/, part);
export const redisShape = z.object({ redis: z.string("a Redis URL"), name: word, prefix: word.default("pyramidkv") });

/** Attempts to connect first, and to connect again: for 0.7 and 7 seconds, and the time that each takes. */
const ATTEMPTS = { first: 3, again: 7 };
const CONNECT_MS = 3_000;

export interface Connection extends Disposable {
  readonly client: Redis;
  /** Rejects once the connection is given up. @throws KvError `queue_unreachable` */
  readonly lost: Promise<never>;
  /** What a failed command means: errors of ours stay as they are. */
  faultOf(thrown: unknown): KvError;
}

/** @throws KvError `invalid_option` for an address of something else, `queue_unreachable` */
export async function connect(address: string, owner: string): Promise<Connection> {
  const url = checkedUrl(address, owner);
  let attempts = ATTEMPTS.first;
  const client = new Redis(address, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: null, // a command waits while the connection is tried again, and fails when it is given up
    retryStrategy: (times) => (times > attempts ? null : Math.min(100 * 2 ** (times - 1), 2_000)),
  });
  let last: unknown = "the connection was closed";
  client.on("error", (thrown) => {
    last = thrown;
  });
  const lost = new Promise<never>((_, reject) => client.once("end", () => reject(unreachable(url, last))));
  lost.catch(() => {});
  const ready = new Promise<void>((resolve) => client.once("ready", resolve));
  client.connect().catch(() => {}); // which is tried again
  await Promise.race([ready, lost]);
  attempts = ATTEMPTS.again;
  return {
    client,
    lost,
    faultOf: (thrown) => (thrown instanceof KvError ? thrown : unreachable(url, thrown)),
    [Symbol.dispose]: () => client.disconnect(),
  };
}

function checkedUrl(address: string, owner: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url === null || !["redis:", "rediss:"].includes(url.protocol))
    throw invalid([owner, "redis"], address, "an address such as redis://localhost:6379");
  return url;
}

/** Without the password that the address may hold. */
const unreachable = ({ protocol, host, pathname }: URL, thrown: unknown): KvError =>
  new KvError({
    code: "queue_unreachable",
    path: [`${protocol}//${host}${pathname}`],
    found: "unreachable",
    allowed: "a running Redis",
    hint: reason(thrown),
    cause: thrown,
  });
