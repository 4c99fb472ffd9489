import type { Workplace } from "../cache/decider.ts";
import { KvError } from "../error.ts";

/** For policies that count entries, whose distance that is only while none is missing. @throws KvError `invalid_option` */
export function refuseSlidingWindow(name: string, { config: { slidingWindow } }: Workplace): void {
  const window = slidingWindow.find((tokens) => tokens !== null) ?? null;
  if (window === null) return;
  const allowed = "null: this policy counts entries, and layers that look so far back count positions";
  throw new KvError({ code: "invalid_option", path: [name, "slidingWindow"], found: window, allowed });
}
