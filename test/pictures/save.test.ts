import { afterAll, beforeAll, describe, test } from "bun:test";
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { save, savePage, vegaLite } from "../../src/pictures/index.ts";
import { pictures } from "./samples.ts";

const picture = pictures(["snapkv"]).recall ?? assert.fail();
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pictures-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("a saved picture", () => {
  test("is what its ending says, and the only file", async () => {
    const starts = { "a.svg": "<svg", "a.png": "\u0089PNG", "a.HTML": "<!doctype html>", "a.json": "{" };
    for (const [name, start] of Object.entries(starts)) {
      await save(picture, join(folder, name));
      assert.ok((await readFile(join(folder, name), "latin1")).startsWith(start), name);
    }
    assert.deepEqual((await readdir(folder)).sort(), Object.keys(starts).sort());
    const json: unknown = JSON.parse(await readFile(join(folder, "a.json"), "utf8"));
    assert.deepEqual(json, JSON.parse(JSON.stringify(vegaLite(picture))));
  });

  test("takes the place of what was there, at once", async () => {
    const path = join(folder, "again.json");
    await writeFile(path, "old");
    await Promise.all([save(picture, path), save(picture, path)]);
    assert.ok((await readFile(path, "utf8")).startsWith("{"));
  });

  test("is refused under another ending, and where it cannot be written; nothing is left behind", async () => {
    for (const name of ["a.pdf", "a", "svg", ".svg.txt"]) {
      await assert.rejects(save(picture, join(folder, name)), {
        name: "KvError",
        code: "invalid_option",
        path: ["save", "path"],
      });
    }
    const missing = join(folder, "no such folder", "a.svg");
    await assert.rejects(save(picture, missing), { name: "KvError", code: "disk_error", path: [missing] });
    const taken = join(folder, "folder.svg");
    await mkdir(taken);
    await assert.rejects(save(picture, taken), { code: "disk_error" });
    await assert.rejects(savePage({ title: "Page", parts: [] }, taken), { code: "disk_error" });
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith(".tmp")),
      [],
    );
  });
});

test("a picture has forms for notebooks: Vega-Lite 5, which JupyterLab knows, SVG and text", async () => {
  const display = Object.getOwnPropertyDescriptor(picture, Symbol.for("Jupyter.display"))?.value;
  const forms: Record<string, unknown> = await display.call(picture);
  assert.deepEqual(Object.keys(forms), ["application/vnd.vegalite.v5+json", "image/svg+xml", "text/plain"]);
  const form = JSON.stringify(forms["application/vnd.vegalite.v5+json"]);
  assert.ok(form.includes("schema/vega-lite/v5.json") && form.includes('"snapkv"'));
  assert.ok(String(forms["image/svg+xml"]).startsWith("<svg"));
  assert.match(String(forms["text/plain"]), /^Attention recall per layer: Lines of /);
});
