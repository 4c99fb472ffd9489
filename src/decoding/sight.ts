/** What policies were shown of the newest token, or a clear word that they were not. */
import type { Held, TokenSight } from "../cache/decider.ts";
import { KvError } from "../error.ts";

/** @throws KvError `observation_missing` where the step was not told to show it */
export function sightOf<Part extends keyof TokenSight>({ sight }: Held, part: Part): NonNullable<TokenSight[Part]> {
  const shown = sight[part];
  if (shown !== null) return shown;
  const hint = "pass the policy to `step` or `generate` in `evict`, which shows it every token";
  const [found, allowed] = ["not observed", "observed while the newest token was decoded"];
  throw new KvError({ code: "observation_missing", path: ["cache", part], found, allowed, hint });
}
