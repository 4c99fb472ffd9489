/** The entry for browsers needs no runtime but them: bundlers find neither Node's modules nor native ones in it. */
import { expect, test } from "bun:test";
import { isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import * as browser from "../src/browser.ts";
import * as main from "../src/index.ts";

test("the browser's entry is bundled without any module of Node's", async () => {
  const absent: string[] = [];
  const { success, outputs } = await Bun.build({
    entrypoints: [fileURLToPath(new URL("../src/browser.ts", import.meta.url))],
    target: "browser",
    plugins: [
      {
        name: "what a browser has not",
        setup(build) {
          build.onResolve({ filter: /^[^./]/ }, ({ path, importer }) => {
            if (!isBuiltin(path) && !/^(onnxruntime|webgpu)/.test(path)) return undefined;
            absent.push(`${path}, of ${importer}`);
            return { path, external: true };
          });
        },
      },
    ],
  });
  expect({ success, absent }).toEqual({ success: true, absent: [] });
  expect(await outputs[0]?.text()).not.toMatch(/require\("|from ?"node:/);
});

test("it has all stages and methods of the main entry, and only what needs a disk or a corpus is missing", () => {
  const missing = Object.keys(main).filter((name) => !(name in browser));
  expect(missing.filter((name) => !/^(load|save|measure)/.test(name))).toEqual([]);
  expect(Object.keys(browser).filter((name) => !(name in main))).toEqual(["funnel", "modelFromFiles", "retained"]);
});
