import type { KvCache } from "../cache/cache.ts";
import { untilDue } from "../cache/compact/entries.ts";

/** Tokens until generated ones go over into a compact form: those after that must see them there, as they would in steps. */
export const untilSettling = ({ compact, added, geometry }: KvCache): number =>
  compact === null ? Number.POSITIVE_INFINITY : untilDue(compact, added, geometry);
