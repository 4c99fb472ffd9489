/** A sweep cut into shards, for machines that share nothing: each does its own, and their stores are merged. */
import { createHash } from "node:crypto";
import { invalid } from "../../options.ts";
import type { Keyed } from "./queue.ts";

export interface Shard {
  /** From 1 to `count`. */
  readonly index: number;
  readonly count: number;
}

/** Reads "2/5": the second of five shards. @throws KvError `invalid_option` */
export function parseShard(text: string): Shard {
  const [, index, count] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).map(Number);
  if (index === undefined || count === undefined) throw invalid(["shard"], text, 'an index and a count, such as "2/5"');
  return checkedShard({ index, count }, text);
}

/**
 * The jobs of one shard. Each job is in exactly one of `count`, which depends on its key alone: new jobs move none of the others.
 *
 * @throws KvError `invalid_option`
 */
export function shard<Job extends Keyed>(jobs: Iterable<Job>, index: number, count: number): readonly Job[] {
  checkedShard({ index, count }, `${index}/${count}`);
  return [...jobs].filter(({ key }) => shardOf(key, count) === index);
}

/** The shard that a key is in, from 1 to `count`. */
export const shardOf = (key: string, count: number): number =>
  1 + (createHash("sha256").update(key).digest().readUIntBE(0, 6) % count);

function checkedShard(shard: Shard, text: string): Shard {
  const { index, count } = shard;
  if (!Number.isSafeInteger(count) || count < 1) throw invalid(["shard"], text, "of a count >= 1");
  if (!Number.isSafeInteger(index) || index < 1 || index > count)
    throw invalid(["shard"], text, `one from 1/${count} to ${count}/${count}`);
  return shard;
}
