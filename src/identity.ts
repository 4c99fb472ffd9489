import type { Model } from "./load.ts";

/** What a model's caches carry, so that no other model decodes on them: its id, at its revision. */
export const identityOf = ({ id, revision }: Pick<Model, "id" | "revision">): string =>
  revision === null ? id : `${id}@${revision}`;
