/** The browser recipe in a real browser, whose WebGPU runs on the processor: what the page computes, draws and says. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PAGE } from "../../kernels/paged-attention/index.ts";
import { servedModels } from "../../recipes/browser/models.ts";
import { columnLeft, gridIn, layerTop, rowHeight } from "../../recipes/browser/page/pictures/grid.ts";
import { type PageServer, servePage } from "../../recipes/browser/server.ts";
import { tinyFiles } from "../../recipes/browser/tiny.ts";
import {
  compress,
  type DecodingPolicy,
  generate,
  heavyHitters,
  loadModel,
  type Method,
  prefill,
  pyramidKV,
  readAhead,
  step,
} from "../../src/index.ts";
import { type Browser, hasChromium, startChromium } from "../support/chromium.ts";
import type { Tab } from "../support/devtools.ts";

const PATIENCE = 60_000;
const llama = fileURLToPath(new URL("../fixtures/tiny/llama", import.meta.url));
if (!hasChromium) console.warn("\nLEFT OUT: the tests of the browser page. npm has a browser for Linux on x64 only.\n");

let folder: string;
let server: PageServer;
let browser: Browser;
let tab: Tab;

/** What the page's link gives. */
interface Recorded {
  readonly provenance: { readonly engine: string; readonly weights: string };
  readonly prompt: readonly number[];
  readonly generated: readonly number[];
  readonly text: string;
  readonly compressedBytes: number;
  readonly positions: readonly (readonly (readonly number[])[])[];
}

describe.skipIf(!hasChromium)("the browser page", () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "pyramidkv-browser-"));
    for (const [name, bytes] of tinyFiles()) await writeFile(join(folder, name), bytes);
    await writeFile(join(folder, "broken.gguf"), "GGUF, but not for long");
    server = await servePage(await servedModels(llama), 0);
    browser = await startChromium();
    tab = await browser.tab();
    await tab.open(server.url);
    await tab.evaluate(until(`document.querySelector("#model").length > 0`));
  }, PATIENCE);
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  test(
    "keeps and generates what the CPU engine does, of a text by a tokenizer",
    async () => {
      await choose("#model", "tiny:");
      const found = await recorded(await run());
      const expected = await onCpu(folder, String(await value("#prompt")), pyramidKV({ budget: 32 }));
      expect(found.provenance.engine).toBe("webgpu");
      expect(found.generated).toHaveLength(24);
      expect(found).toMatchObject(expected);
      const kept = found.positions.flat().map((held) => held.filter((place) => place < found.prompt.length).length);
      const pages = kept.reduce((sum, count) => sum + Math.ceil(count / PAGE), 0);
      expect(found.compressedBytes).toBe(pages * PAGE * 16 * 2 * 4); // 16 numbers a key
      expect(await tab.evaluate(`document.querySelector("#answer").textContent`)).toBe(expected.text);
    },
    PATIENCE,
  );

  test("draws what is held, place by place and head by head", async () => {
    const { positions, prompt, generated } = await recorded("Done");
    const room = prompt.length + generated.length;
    for (const layer of [7, 0]) {
      await tab.evaluate(`(() => {
        const layer = document.querySelector("#layer");
        layer.value = ${layer};
        layer.dispatchEvent(new Event("input"));
        return ${twoFrames};
      })()`);
      const heads = positions[layer] ?? [];
      const { width, height, pixels } = await pixelsOf("#heads");
      const grid = gridIn(width, height, heads.length, room);
      for (const [head, held] of heads.entries())
        for (let place = 0; place < room; place++) {
          const x = Math.floor((columnLeft(grid, place) + columnLeft(grid, place + 1)) / 2);
          const y = Math.floor(layerTop(grid, heads.length - 1 - head) + rowHeight(grid) / 2);
          const [red = 0, green = 0, blue = 0] = pixels.slice(4 * (y * width + x));
          const seen = red > blue + 60 ? "kept" : green > red + 60 ? "generated" : "none";
          const expected = !held.includes(place) ? "none" : place < prompt.length ? "kept" : "generated";
          expect({ layer, head, place, seen }).toEqual({ layer, head, place, seen: expected });
        }
    }
    for (const canvas of ["#funnel", "#map"]) {
      const { pixels } = await pixelsOf(canvas);
      const some = (is: (red: number, blue: number) => boolean) =>
        pixels.some((red, i) => i % 4 === 0 && is(red, pixels[i + 2] ?? 0));
      expect({ kept: some((red, blue) => red > blue + 60), attention: some((red, blue) => blue > red + 60) }).toEqual({
        kept: true,
        attention: true,
      });
      const words = String(await tab.evaluate(`document.querySelector("${canvas}").ariaLabel`));
      expect(words).toMatch(/^Attention .* layer/);
    }
  });

  test("tells the cell under the pointer, and shows the heads of a layer that is clicked", async () => {
    const { prompt, generated, positions } = await recorded("Done");
    const [width, height] = Object.values(
      Object(await tab.evaluate(`(({ width, height }) => [width, height])(document.querySelector("#map"))`)),
    );
    const grid = gridIn(Number(width), Number(height), positions.length, prompt.length + generated.length);
    for (const [layer, place] of [
      [0, 0],
      [5, 100],
      [7, prompt.length - 1],
    ] as const) {
      const x = (columnLeft(grid, place) + columnLeft(grid, place + 1)) / 2;
      const y = layerTop(grid, layer) + rowHeight(grid) / 2;
      const shown = await tab.evaluate(`(() => {
        const { left, top } = document.querySelector("#map").getBoundingClientRect();
        for (const type of ["pointermove", "click"])
          document.querySelector("#map").dispatchEvent(new MouseEvent(type, { clientX: left + ${x}, clientY: top + ${y} }));
        const words = document.querySelector("#pointed").textContent;
        return ${twoFrames}.then(() => [words, document.querySelector("#layer-shown").value]);
      })()`);
      const held = (positions[layer] ?? []).filter((places) => places.includes(place)).length;
      expect(shown).toEqual([
        expect.stringMatching(new RegExp(`^Layer ${layer}, token ${place} .*, held by ${held} of 2 heads\\.$`)),
        `${layer}`,
      ]);
    }
  });

  test(
    "lets go while it generates, of a prompt in token ids",
    async () => {
      await choose("#model", llama);
      await choose("#method", "readahead");
      await choose("#policy", "heavy hitters");
      await fill("#prompt", Array.from({ length: 60 }, (_, i) => (i * 13 + 5) % 100).join(" "));
      const found = await recorded(await run());
      const ids = Int32Array.from(found.prompt);
      expect(found.generated).toHaveLength(24);
      for (const held of found.positions.flat()) expect(held).toHaveLength(24);
      expect(found).toMatchObject(await onCpu(llama, ids, readAhead({ budget: 24 }), heavyHitters({ budget: 24 })));
    },
    PATIENCE,
  );

  test("says what is wrong, and goes on", async () => {
    await fill("#prompt", "5 6 seven");
    expect(await run()).toContain("prompt is seven, but must be a token id");
    await choose("#model", "tiny:");
    await fill("#prompt", "");
    expect(await run()).toContain("prompt is no tokens, but must be at least one token");
    await fill("#budget", "8");
    await choose("#method", "pyramidkv");
    expect(await run()).toContain("pyramidkv.budget is 8, but must be an integer > 8");
  });

  test("refuses a broken file by its name", async () => {
    const { root } = await tab.send("DOM.getDocument");
    const { nodeId } = await tab.send("DOM.querySelector", {
      nodeId: Reflect.get(Object(root), "nodeId"),
      selector: "#file",
    });
    await tab.send("DOM.setFileInputFiles", { nodeId, files: [join(folder, "broken.gguf")] });
    await fill("#budget", "32");
    expect(await run()).toContain("broken.gguf");
  });

  test("without WebGPU says so", async () => {
    const other = await browser.tab();
    await other.send("Page.addScriptToEvaluateOnNewDocument", {
      source: "Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined })",
    });
    await other.open(server.url);
    await other.evaluate(until(`document.querySelector("#model").length > 0`));
    expect(await run(other)).toContain("webgpu is no WebGPU, but must be a browser with WebGPU");
    expect(other.complaints).toEqual([]);
  });

  test("has nothing to complain of on its console", () => expect(tab.complaints).toEqual([]));
});

/** What the CPU engine makes of the same files. */
async function onCpu(path: string, prompt: string | Int32Array, method: Method, evict?: DecodingPolicy) {
  using model = await loadModel(path, { graphCache: false });
  using context = await prefill(model, prompt, { observe: evict === undefined ? [method] : [method, evict] });
  using cache = await compress(context, method);
  const { tokens, text } = await generate(model, cache, { maxNewTokens: 24, evict });
  for (const token of tokens) await step(model, cache, token, { evict });
  const positions = cache.lengths.map((heads, layer) => heads.map((_, head) => [...cache.positions(layer, head)]));
  const { weights } = await model.provenance();
  const shown = model.tokenizer === null ? tokens.join(" ") : text;
  return { provenance: { weights }, generated: [...tokens], text: shown, positions };
}

/** Runs what is chosen; what the page says in the end. */
async function run(on: Tab = tab): Promise<string> {
  await on.evaluate(`document.querySelector("#run").click()`);
  await on.evaluate(until(`!document.querySelector("#run").disabled`));
  const said = `(document.querySelector("#fault").hidden ? "" : document.querySelector("#fault").textContent)`;
  return String(await on.evaluate(`document.querySelector("#status").textContent + ${said}`));
}

async function recorded(said: string): Promise<Recorded> {
  expect(said).toStartWith("Done");
  const text = await tab.evaluate(`fetch(document.querySelector("#numbers a").href).then((answer) => answer.text())`);
  return JSON.parse(String(text));
}

/** The option that begins so. */
const choose = (selector: string, option: string) =>
  tab.evaluate(`(() => {
    const list = document.querySelector("${selector}");
    list.selectedIndex = [...list.options].findIndex(({ text }) => text.startsWith(${JSON.stringify(option)}));
    list.dispatchEvent(new Event("change"));
  })()`);

const fill = (selector: string, text: string) =>
  tab.evaluate(`document.querySelector("${selector}").value = ${JSON.stringify(text)}`);

const value = (selector: string) => tab.evaluate(`document.querySelector("${selector}").value`);

const twoFrames = "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(true))))";

/** A promise on the page that waits for a condition. */
const until = (condition: string) => `new Promise((resolve) => {
  const look = () => (${condition} ? resolve(true) : setTimeout(look, 20));
  look();
})`;

/** Of a picture: four bytes each, row by row. */
async function pixelsOf(canvas: string) {
  const [width, height, pixels] = Object.values(
    Object(
      await tab.evaluate(`(() => {
        const canvas = document.querySelector("${canvas}");
        const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
        pen.drawImage(canvas, 0, 0);
        const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
        return [canvas.width, canvas.height, new Uint8Array(data.buffer).toBase64()];
      })()`),
    ),
  );
  return { width: Number(width), height: Number(height), pixels: Uint8Array.fromBase64(String(pixels)) };
}
