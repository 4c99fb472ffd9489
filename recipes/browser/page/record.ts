/** A run as JSON, for whoever wants its numbers. */
import type { DecodingPolicy, Method, Model } from "../../../src/browser.ts";
import { page } from "./elements.ts";
import type { Snapshot } from "./run.ts";

/** Leaves a link to it on the page, in place of the last. */
export async function record(
  model: Model,
  method: Method,
  evict: DecodingPolicy | undefined,
  shown: Snapshot,
): Promise<void> {
  const { tokens, generated, text, funnel, held, fullBytes, compressedBytes } = shown;
  const run = {
    provenance: await model.provenance(),
    method: method.name,
    options: method.options,
    evict: evict?.name ?? null,
    prompt: [...tokens],
    generated,
    text,
    fullBytes,
    compressedBytes,
    positions: held?.places.map((heads) => heads.map((places) => [...places])) ?? null,
    funnel,
  };
  for (const { href } of page.numbers.querySelectorAll("a")) URL.revokeObjectURL(href);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(run)], { type: "application/json" }));
  link.download = "pyramidkv.json";
  link.textContent = "Save this run as JSON";
  page.numbers.replaceChildren(link);
}
