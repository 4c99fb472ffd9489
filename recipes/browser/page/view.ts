/** Writes a snapshot onto the page. */
import { page } from "./elements.ts";
import { drawFunnel } from "./pictures/funnel.ts";
import { cellAt } from "./pictures/grid.ts";
import { drawHeads } from "./pictures/heads.ts";
import { drawMap, mapGrid } from "./pictures/map.ts";
import { holders, keptOfPrompt, type Snapshot } from "./run.ts";

let latest: Snapshot | null = null;
let awaited = false;

/** Soon: once before the screen's next picture, however many snapshots come until then. */
export function show(shown: Snapshot | null = latest): void {
  latest = shown;
  if (awaited) return;
  awaited = true;
  requestAnimationFrame(() => {
    awaited = false;
    if (latest !== null) draw(latest);
  });
}

function draw(shown: Snapshot): void {
  const { funnel, fullBytes, compressedBytes, held, prefillSeconds, tokensPerSecond, text } = shown;
  page.layer.max = String(funnel.layers.length - 1);
  for (const canvas of [page.funnel, page.map]) canvas.style.setProperty("--layers", String(funnel.layers.length));
  const layer = page.layer.valueAsNumber;
  page.layerShown.value = String(layer);
  figure(page.fullBytes, bytes(fullBytes), `${funnel.length} tokens`);
  figure(page.keptBytes, ...sizeOf(compressedBytes, fullBytes));
  figure(page.nowBytes, ...sizeOf(held?.bytes ?? null, fullBytes));
  figure(page.prefillTime, `${prefillSeconds.toFixed(2)} s`);
  figure(page.speed, tokensPerSecond?.toFixed(1) ?? "–", "tokens/s");
  page.answer.textContent = text;
  drawFunnel(page.funnel, shown, layer);
  drawMap(page.map, shown, layer);
  drawHeads(page.heads, shown, layer);
  page.keptText.replaceChildren(...markedText(shown, layer));
  page.layers.replaceChildren(...tableRows(shown));
}

function figure(target: HTMLElement, value: string, note = ""): void {
  const small = document.createElement("small");
  small.textContent = note === "" ? "" : ` ${note}`;
  target.replaceChildren(value, small);
}

const sizeOf = (count: number | null, full: number): readonly [value: string, note?: string] =>
  count === null ? ["–"] : [bytes(count), `${((100 * count) / full).toFixed(0)} %, in whole pages`];

const bytes = (count: number) =>
  count < 1e6 ? `${(count / 1024).toFixed(0)} KiB` : `${(count / 2 ** 20).toFixed(2)} MiB`;

/** The prompt's tokens, marked by the share of a layer's heads that keep them. */
function markedText({ pieces, held, room, kvHeads }: Snapshot, layer: number): readonly Node[] {
  const counts = holders(held?.places[layer] ?? [], room);
  return pieces.map((piece, place) => {
    const span = document.createElement("span");
    span.style.setProperty("--share", String((counts[place] ?? 0) / kvHeads));
    span.append(piece);
    return span;
  });
}

function tableRows({ funnel, held }: Snapshot): readonly HTMLTableRowElement[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return funnel.layers.map(({ effectiveTokens, sinks, window }, layer) => {
    const heads = held?.places[layer] ?? [];
    const counts = heads.map((places) => keptOfPrompt([places], funnel.length));
    const cells = [layer, `${effectiveTokens.toFixed(1)} tokens`, percent(sinks), percent(window), counts.join(", ")];
    const row = document.createElement("tr");
    for (const cell of cells) row.insertCell().append(String(cell));
    return row;
  });
}

/** What lies under the pointer, in words; a click chooses its layer. */
export function watchPointer(): void {
  const under = (canvas: HTMLCanvasElement, { offsetX, offsetY }: MouseEvent) =>
    latest && cellAt(mapGrid(canvas, latest), offsetX, offsetY);
  for (const canvas of [page.funnel, page.map])
    canvas.addEventListener("click", (event) => {
      const cell = under(canvas, event);
      if (cell === null) return;
      page.layer.value = String(cell.layer);
      show();
    });
  page.map.addEventListener("pointermove", (event) => {
    const cell = under(page.map, event);
    if (cell !== null && latest !== null) page.pointed.textContent = sentence(latest, cell.layer, cell.column);
  });
}

function sentence({ funnel, held, pieces, room, kvHeads }: Snapshot, layer: number, place: number): string {
  const count = holders(held?.places[layer] ?? [], room)[place] ?? 0;
  const kept = held === null ? "" : `, held by ${count} of ${kvHeads} heads`;
  if (place >= funnel.length) return `Layer ${layer}, generated token ${place - funnel.length + 1}${kept}.`;
  const bin = funnel.edges.findIndex((edge, i) => edge <= place && place < (funnel.edges[i + 1] ?? 0));
  const size = (funnel.edges[bin + 1] ?? 0) - (funnel.edges[bin] ?? 0);
  const share = (100 * (funnel.layers[layer]?.mass[bin] ?? 0)) / size;
  return `Layer ${layer}, token ${place} ${JSON.stringify(pieces[place])}: ${share.toFixed(2)} % of the attention${kept}.`;
}
