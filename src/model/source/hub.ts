import { KvError } from "../../error.ts";
import type { ModelLocation } from "./location.ts";
import type { Settings } from "./options.ts";

export interface HubModel {
  readonly id: string;
  readonly revision: string;
}

export async function cachedSnapshot(_model: HubModel, _settings: Settings): Promise<ModelLocation | null> {
  return null;
}

export async function fetchSnapshot({ id }: HubModel, _settings: Settings): Promise<ModelLocation> {
  throw new KvError({
    code: "model_unreachable",
    path: ["model"],
    found: id,
    allowed: "a local model until the Hub client is in",
  });
}
