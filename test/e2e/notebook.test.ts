/** The notebook, executed as Jupyter would: Deno's kernel, driven by Jupyter's own client from PyPI. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const VEGA_LITE = "application/vnd.vegalite.v5+json";
const PATIENCE = 300_000;
/** Kept between runs: it takes 15 s to install. */
const client = join(tmpdir(), "pyramidkv-jupyter-client-1");

let folder: string;
let cells: readonly (readonly Readonly<Record<string, unknown>>[])[];

async function run(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = Bun.spawn([...command], { cwd: root, stdout: "pipe", stderr: "pipe", env: { ...process.env, ...env } });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}\n${out}\n${err}`);
  return out;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "notebook-"));
  const kernel = join(folder, "kernels", "deno");
  await mkdir(kernel, { recursive: true });
  const argv = [process.execPath, join(root, "node_modules/deno/bin.cjs"), "jupyter", "--kernel", "--conn"];
  const spec = { argv: [...argv, "{connection_file}"], display_name: "Deno", language: "typescript" };
  await writeFile(join(kernel, "kernel.json"), JSON.stringify(spec));
  const pip = ["python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
  const requirements = join(root, "test/support/notebook-requirements.txt");
  const installed = await run(["python3", "-c", "import jupyter_client, nbformat"], { PYTHONPATH: client }).catch(
    () => null,
  );
  if (installed === null) {
    await rm(client, { recursive: true, force: true });
    await run([...pip, "--target", client, "-r", requirements], { PIP_USER: "0" });
  }
  const script = join(root, "test/support/run-notebook.py");
  const out = await run(["python3", script, join(root, "recipes/notebook.ipynb")], {
    PYTHONPATH: client,
    JUPYTER_PATH: folder,
    NO_COLOR: "1",
  });
  cells = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}, PATIENCE);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the notebook", () => {
  test("says which model it runs, and what every method answers", () => {
    expect(JSON.stringify(cells[0])).toContain("sha256:");
    expect(JSON.stringify(cells[1])).toMatch(/snapkv.*pyramidkv/s);
  });

  test("shows the funnel, the layers' budgets and the curve of accuracy as Vega-Lite, SVG and text", () => {
    for (const cell of [2, 3, 4]) {
      const [shown] = cells[cell] ?? [];
      expect(Object.keys(shown ?? {}).sort()).toEqual([VEGA_LITE, "image/svg+xml", "text/plain"].sort());
      expect(shown?.["image/svg+xml"]).toStartWith("<svg");
    }
    expect(cells[2]?.[0]?.["image/svg+xml"]).toContain("document 3");
    expect(JSON.stringify(cells[4]?.[0]?.[VEGA_LITE])).toContain("keydiff");
  });

  test("fails in no cell", () => {
    expect(cells).toHaveLength(6);
    expect(JSON.stringify(cells)).not.toContain("ename");
  });
});
