/** Queues: how a sweep's jobs are done, here or by workers on other machines, all of them or a shard. */
export { type InProcessOptions, inProcess } from "./in-process.ts";
export type { Done, Jobs, Keyed, Queue, Run } from "./queue.ts";
export { bullQueue } from "./redis/bull-queue.ts";
export type { RedisOptions } from "./redis/connection.ts";
export { type WorkerOptions, worker } from "./redis/worker.ts";
export { parseShard, type Shard, shard, shardOf } from "./shard.ts";
