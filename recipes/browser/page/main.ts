/** The page's program: reads what is asked for, runs it, shows it. */
import "./no-eval.ts";
import { KvError } from "../../../src/browser.ts";
import type { OfferedModel } from "../catalogue.ts";
import { page } from "./elements.ts";
import { LoadedModel, type Wanted } from "./load.ts";
import { methods, policies } from "./methods.ts";
import { record } from "./record.ts";
import { chosenMethod, chosenPolicy, maxNewTokens, promptFor } from "./request.ts";
import { run, type Snapshot } from "./run.ts";
import { show, watchPointer } from "./view.ts";

const offered: readonly OfferedModel[] = await (await fetch("models.json")).json();
const loaded = new LoadedModel();
/** Of the run in progress. */
let stopping = new AbortController();
/** The prompt that the page put there itself, and may replace. */
let suggested = "";

function wanted(): Wanted | undefined {
  return page.file.files?.[0] ?? offered[page.model.selectedIndex];
}

async function runOnce(signal: AbortSignal): Promise<void> {
  const model = wanted();
  if (model === undefined) return;
  const method = chosenMethod();
  const evict = chosenPolicy();
  const request = { method, evict, maxNewTokens: maxNewTokens(), signal, onProgress: prefilled };
  await tell("Loading the model …");
  const ready = await loaded.get(model, signal, (share) => {
    page.progress.value = share;
  });
  const { versions, engine } = await ready.provenance();
  page.backend.classList.add("ready");
  page.backend.textContent = `${engine}: ${versions[engine] ?? "an adapter without a name"}`;
  await tell("Reading the prompt …");
  let last: Snapshot | null = null;
  for await (const shown of run(ready, { ...request, prompt: promptFor(ready) })) {
    show(shown);
    page.progress.value = shown.generated.length / request.maxNewTokens;
    page.status.textContent = `${shown.generated.length} of ${request.maxNewTokens} tokens generated`;
    last = shown;
  }
  if (last !== null) await record(ready, method, evict, last);
  page.progress.value = 1;
  page.status.textContent = `${signal.aborted ? "Stopped" : "Done"}: ${last?.generated.length ?? 0} tokens.`;
}

function prefilled(done: number, total: number): void {
  page.progress.value = done / total;
  page.status.textContent = `${done} of ${total} tokens of the prompt read`;
}

/** And lets the page show it before what may hold it up. */
function tell(status: string): Promise<void> {
  page.status.textContent = status;
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

function tellFault(fault: unknown): void {
  const stopped = fault instanceof KvError && fault.code === "aborted";
  page.status.textContent = stopped ? "Stopped." : "";
  if (stopped) return;
  page.fault.textContent = fault instanceof KvError ? fault.message : `A fault of this page: ${fault}`;
  page.fault.hidden = false;
}

async function runAndTell(): Promise<void> {
  stopping = new AbortController();
  page.fault.hidden = true;
  page.run.disabled = true;
  page.stop.disabled = false;
  try {
    await runOnce(stopping.signal);
  } catch (fault) {
    tellFault(fault);
  } finally {
    page.run.disabled = false;
    page.stop.disabled = true;
  }
}

function suggest(): void {
  const model = offered[page.model.selectedIndex];
  if (model === undefined) return;
  page.budget.value = String(model.budget);
  if (page.prompt.value === suggested) page.prompt.value = suggested = model.prompt;
  describe();
}

function describe(): void {
  page.budgetShown.value = page.budget.value;
  page.aboutMethod.textContent = methods.get(page.method.value)?.about ?? "";
}

page.model.append(...offered.map(({ about }) => new Option(about)));
page.method.append(...Array.from(methods.keys(), (name) => new Option(name)));
page.policy.append(...Array.from(policies.keys(), (name) => new Option(name)));
page.model.addEventListener("change", () => {
  page.file.value = "";
  suggest();
});
page.method.addEventListener("change", describe);
page.budget.addEventListener("input", describe);
page.layer.addEventListener("input", () => show());
page.stop.addEventListener("click", () => stopping.abort());
page.controls.addEventListener("submit", (event) => {
  event.preventDefault();
  void runAndTell();
});
new ResizeObserver(() => show()).observe(page.map);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => show());
watchPointer();
suggest();
page.backend.textContent =
  navigator.gpu === undefined ? "No WebGPU in this browser, or not on this page" : "WebGPU is there";
