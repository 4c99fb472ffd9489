/** The parts of the page that the program reads and writes, by their ids. */

/** @throws TypeError where the page has no such element: a fault of ours */
function element<T extends Element>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new TypeError(`the page has no ${type.name} #${id}`);
}

export const page = {
  backend: element("backend", HTMLElement),
  controls: element("controls", HTMLFormElement),
  model: element("model", HTMLSelectElement),
  file: element("file", HTMLInputElement),
  prompt: element("prompt", HTMLTextAreaElement),
  method: element("method", HTMLSelectElement),
  policy: element("policy", HTMLSelectElement),
  aboutMethod: element("about-method", HTMLElement),
  budget: element("budget", HTMLInputElement),
  budgetShown: element("budget-shown", HTMLOutputElement),
  tokens: element("tokens", HTMLInputElement),
  run: element("run", HTMLButtonElement),
  stop: element("stop", HTMLButtonElement),
  progress: element("progress", HTMLProgressElement),
  status: element("status", HTMLElement),
  fault: element("fault", HTMLElement),
  fullBytes: element("full-bytes", HTMLElement),
  keptBytes: element("kept-bytes", HTMLElement),
  nowBytes: element("now-bytes", HTMLElement),
  prefillTime: element("prefill-time", HTMLElement),
  speed: element("speed", HTMLElement),
  answer: element("answer", HTMLElement),
  funnel: element("funnel", HTMLCanvasElement),
  map: element("map", HTMLCanvasElement),
  pointed: element("pointed", HTMLElement),
  layer: element("layer", HTMLInputElement),
  layerShown: element("layer-shown", HTMLOutputElement),
  heads: element("heads", HTMLCanvasElement),
  keptText: element("kept-text", HTMLElement),
  numbers: element("numbers", HTMLElement),
  layers: element("layers", HTMLTableSectionElement),
} as const;
