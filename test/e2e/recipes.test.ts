/** The evaluation recipes as a user runs them: processes, their exit codes, what they print and what they leave. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { namedPolicy } from "../../recipes/support/named-policy.ts";
import {
  full,
  loadFilters,
  loadModel,
  type MethodFactory,
  pipeline,
  qFilters,
  registry,
  snapKV,
} from "../../src/index.ts";
import { faultOf } from "../support/fault.ts";
import { goldenGguf } from "../support/golden-model.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const NAMES = [
  "sweep",
  "needle",
  "fewshot",
  "ruler",
  "longbench",
  "report",
  "funnel",
  "cost",
  "measure",
  "ask",
  "browser",
  "compare",
  "docs",
] as const;
const PATIENCE = 120_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pyramidkv-recipes-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = (recipe: string, ...args: readonly string[]) =>
  Bun.spawn([process.execPath, join(root, "recipes", `${recipe}.ts`), ...args], {
    cwd: folder,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });

async function run(recipe: string, ...args: readonly string[]) {
  const child = start(recipe, ...args);
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { out, err, code };
}

describe("--help explains", () => {
  for (const name of NAMES)
    test(name, async () => {
      const { out, err, code } = await run(name, "--help");
      expect({ err, code }).toEqual({ err: "", code: 0 });
      const textOf = (file: string) => readFileSync(join(root, "recipes", file), "utf8");
      const own = textOf(`${name}.ts`);
      const source = own.includes("OPTIONS") ? own + textOf("support/evaluation-options.ts") : own;
      // Every option that the recipe takes.
      for (const [, option] of source.matchAll(/^ {2,4}"?([a-z-]+)"?: \{ type:/gm))
        expect(out).toContain(`--${option}`);
      expect(out).toContain("--help");
    });
});

describe("a wrong command line ends with one line that says what is allowed:", () => {
  const cases: readonly (readonly [recipe: string, args: readonly string[], allowed: string])[] = [
    ["sweep", ["--task", "needles"], "one of needle, "],
    ["sweep", ["--task", "needle {"], "options as JSON"],
    ["sweep", ["--task", 'needle {"depth":1}'], "the options of needle are"],
    ["sweep", ["--methods", "snapkv,pyramid"], "one of full, window"],
    ["sweep", ["--methods", "snapkv+streaming"], "one of streamingwindow, heavyhitters, tokenomission, or everysteps"],
    ["sweep", ["--methods", "full,snapkv+"], "one of streamingwindow"],
    ["sweep", ["--methods", "+streamingwindow"], "one of full, window"],
    ["sweep", ["--methods", "snapkv+heavyhitters+tokenomission"], "one of streamingwindow"],
    ["sweep", ["--methods", "snapkv+heavyhitters:0"], "an integer >= 1, or a share"],
    ["sweep", ["--methods", "snapkv+heavyhitters:64:64"], "an integer >= 1, or a share"],
    ["sweep", ["--budgets", "64,0"], "an integer >= 1, or a share"],
    ["sweep", ["--seeds", "x"], "integers separated by commas"],
    ["sweep", ["--shard", "3/2"], "one from 1/2 to 2/2"],
    ["sweep", ["--worker"], "given with --worker"],
    ["sweep", ["--precision", "fp16"], "one of fp32 or fast"],
    ["sweep", ["--redis"], "--redis"],
    ["needle", ["--depths", "0"], "an integer >= 1"],
    ["needle", ["--kind", "pin"], "passkey or sentence"],
    ["needle", ["--haystack", "none.txt", "--store", "x.duckdb"], "none.txt"],
    ["fewshot", ["--lengths", "5", "--store", "x.duckdb"], "few-shot"],
    ["ruler", ["--tasks", "qa_1"], "SQuAD"],
    ["ruler", ["--tasks", "niah"], "one of niah_single_1"],
    ["longbench", ["--tasks", "qasper"], "one of longbench/narrativeqa"],
    ["longbench", ["--folder", "none", "--store", "x.duckdb"], "a folder that has"],
    ["measure", [], "one of filters, query-statistics, heads, or curves"],
    ["sweep", ["--methods", "full,lukv"], "--measured is undefined, but must be a folder that has curves.safetensors"],
    ["sweep", ["--methods", "measured/qfilters"], "a folder that has filters.safetensors"],
    ["sweep", ["--methods", "measured/snapkv", "--measured", "."], "measured/qfilters"],
    ["measure", ["--what", "heads", "--prompts", "0"], "an integer >= 1"],
    ["compare", ["--examples", "x"], "an integer >= 1"],
    ["report", [], "one store"],
    ["report", ["none.duckdb"], "a store that exists"],
    ["report", [fileURLToPath(import.meta.url)], "store"],
    ["funnel", ["--out", "funnel.doc"], ".svg, .png, .html"],
    ["funnel", ["--prompt", "none.txt"], "a file that can be read"],
    ["funnel", ["--budget", "8"], "an integer > 8"],
    ["measure", ["--what", "filters", "--length", "0"], "an integer >= 1"],
    ["cost", ["--out", "cost"], ".svg, .png, .html"],
    ["cost", ["--lengths", "1e9", "--methods", "x"], "one of full"],
    ["browser", ["--port", "http"], "an integer >= 0"],
    ["browser", ["--port", "65536"], "a port that is free"],
    ["browser", ["--model", "./none"], "none"],
    ["ask", [], "a text to ask about"],
    ["ask", ["none.txt", "Why?"], "a text file that can be read"],
    ["ask", ["x.txt", "--method", "keydif"], "one of full, window"],
    ["ask", ["x.txt", "--budget", "0"], "an integer >= 1"],
    ["ask", ["x.txt", "--tokens", "all"], "an integer >= 1"],
    ["ask", ["--load", "none.safetensors", "Why?"], "a file that saveCache wrote"],
    ["ask", ["--load", "x", "--budget", "64"], "left out: a saved cache has its own"],
    ["ask", [fileURLToPath(import.meta.url), "--save", "none/x.safetensors"], "in a folder that can be written"],
  ];
  for (const [recipe, args, allowed] of cases)
    test(
      `${recipe} ${args.join(" ")}`,
      async () => {
        const { out, err, code } = await run(recipe, ...args);
        expect({ out, code }).toEqual({ out: "", code: 1 });
        expect(err.trim().split("\n")).toHaveLength(1);
        expect(err).toStartWith(`${recipe}: `);
        expect(err).toContain(allowed);
      },
      PATIENCE,
    );
});

describe("a policy that cannot follow its method says why:", () => {
  const cases: readonly (readonly [policy: string, method: MethodFactory, allowed: string])[] = [
    ["streamingwindow:4", full, "an integer > 4"],
    ["everysteps:25%", snapKV, "a number of entries"],
    ["everysteps:64", registry.kvzip, "a method that runs nothing after the prompt"],
  ];
  for (const [policy, method, allowed] of cases)
    test(policy, async () => {
      const fault = await faultOf(() => namedPolicy(policy)(method));
      expect(fault.message).toContain(allowed);
    });
});

/** What `--json` prints. */
const linesOf = (out: string) =>
  out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const path = await goldenGguf();
if (path !== null) {
  const small = ["--model", path, "--methods", "full,snapkv", "--budgets", "64,25%"];
  /** One example at one budget, of which the methods alone are to be seen. */
  const oneNeedle = ["--model", path, "--budgets", "64", "--lengths", "300", "--depths", "1", "--no-oracle"];

  describe("on SmolLM2-135M-Instruct", () => {
    test(
      "a needle is found by full attention; the same command a second time computes nothing; the page shows it",
      async () => {
        const args = [...small, "--lengths", "300", "--depths", "2", "--fidelity", "--store", "needle.duckdb"];
        const { out, err, code } = await run("needle", ...args, "--out", "needle's.html");
        expect({ err, code }).toEqual({ err: "", code: 0 });
        const own = readFileSync(join(folder, "needle's.html"), "utf8");
        for (const part of ["Where attention falls", "bun run needle", "--lengths 300"]) expect(own).toContain(part);
        expect(out).toMatch(/needle .* 300 .* full .* all .* 1\.00/);
        expect(out).toMatch(/snapkv .* 25% /);
        expect(out).toContain("sha256:");
        const again = await run("needle", ...args, "--json");
        const rows = linesOf(again.out);
        expect(rows).toHaveLength(2 * (3 + 2)); // the oracle at both budgets among them
        expect(new Set(rows.map(({ method }) => method))).toEqual(new Set(["full", "snapkv", "oracle"]));
        expect(rows.every(({ recall }) => recall.length === 30)).toBe(true);
        const sql = "SELECT DISTINCT method, budget FROM results ORDER BY 1, 2";
        const found = await run("report", "needle.duckdb", "--sql", sql);
        expect(found.out.trim().split("\n")).toHaveLength(5);
        const summaries = (await run("report", "needle.duckdb", "--json")).out.trim().split("\n");
        expect(summaries.map((line) => JSON.parse(line).count)).toEqual([2, 2, 2, 2, 2]);
        const page = await run(
          "report",
          "needle.duckdb",
          "--out",
          "page.html",
          "--export",
          "all.jsonl",
          "--model",
          path,
        );
        expect(page).toMatchObject({ err: "", code: 0 });
        const html = readFileSync(join(folder, "page.html"), "utf8");
        for (const part of ["accuracy against budget", "score by place", "recall", "Where attention falls", "sha256:"])
          expect(html).toContain(part);
        expect(readFileSync(join(folder, "all.jsonl"), "utf8").trim().split("\n")).toHaveLength(10);
      },
      PATIENCE,
    );

    test(
      "shards are merged by the report; an interrupted recipe goes on",
      async () => {
        const args = [...small, "--no-oracle", "--lengths", "300", "--examples", "6"];
        const first = start("fewshot", ...args, "--shard", "1/2", "--store", "one.duckdb");
        while (!existsSync(join(folder, "one.duckdb"))) await Bun.sleep(50);
        await Bun.sleep(800);
        first.kill("SIGINT");
        expect([0, 130]).toContain(await first.exited); // 0 on a machine that was faster
        for (const [shard, store] of [
          ["1/2", "one.duckdb"],
          ["2/2", "two.duckdb"],
        ] as const)
          expect(await run("fewshot", ...args, "--shard", shard, "--store", store)).toMatchObject({ err: "", code: 0 });
        const parts: number[] = [];
        for (const store of ["one.duckdb", "two.duckdb"])
          parts.push(JSON.parse((await run("report", store, "--sql", "SELECT count(*) AS n FROM results")).out).n);
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(18);
        const merged = await run("report", "one.duckdb", "--merge", "two.duckdb", "--no-funnel");
        expect(merged).toMatchObject({ err: "", code: 0 });
        expect(merged.out).toContain("18 results: report.html");
      },
      PATIENCE,
    );

    test(
      "LongBench's files and RULER's tasks are asked",
      async () => {
        const files = join(root, "test/fixtures/longbench");
        const tasks = "longbench/qasper,longbench-e/trec,longbench-v2";
        const bench = await run("longbench", ...small, "--folder", files, "--tasks", tasks, "--examples", "1");
        expect(bench).toMatchObject({ err: "", code: 0 });
        for (const name of tasks.split(",")) expect(bench.out).toContain(name);
        const ruler = await run("ruler", ...small, "--tasks", "vt,niah_single_1", "--length", "800", "--examples", "1");
        expect(ruler).toMatchObject({ err: "", code: 0 });
        expect(ruler.out).toContain("ruler/vt");
        expect(existsSync(join(folder, "results/ruler.duckdb"))).toBe(true);
      },
      PATIENCE,
    );

    test(
      "what a method needs is measured on a text, and the method uses it",
      async () => {
        writeFileSync(
          join(folder, "corpus.txt"),
          "The whale swam. Nobody saw it, and the sea was calm again. ".repeat(12),
        );
        const args = ["--model", path, "--corpus", "corpus.txt", "--sequences", "2", "--length", "64"];
        const { out, err, code } = await run("measure", "--what", "filters", ...args);
        expect({ err, code }).toEqual({ err: "", code: 0 });
        expect(out).toMatch(/^filters\.safetensors: filters sha256:\w{64} of 128 tokens\n$/);
        const missing = await run("measure", "--what", "filters", ...args, "--corpus", "none.txt");
        expect([missing.code, missing.err]).toEqual([1, expect.stringContaining("a file that can be read")]);
        using model = await loadModel(path);
        const filters = await loadFilters(model, join(folder, "filters.safetensors"));
        const answer = await pipeline(model, qFilters({ budget: 20, filters }), { maxNewTokens: 3 })("One ".repeat(40));
        expect(answer.tokens).toHaveLength(3);
        const asked = [...oneNeedle, "--json"];
        const methods = ["--methods", "qfilters,measured/qfilters", "--measured", "."];
        const both = await run("needle", ...asked, ...methods, "--store", "filters.duckdb");
        expect(both).toMatchObject({ err: "", code: 0 });
        const rows = linesOf(both.out);
        expect(rows.map(({ method, methodOptions }) => [method, methodOptions])).toEqual([
          ["qfilters", { budget: 64 }],
          ["measured/qfilters", { budget: 64, filters: filters.label }],
        ]);
      },
      PATIENCE,
    );

    test(
      "what was measured of heads is told to the methods that need it, and what is missing is said",
      async () => {
        const measured = await run("measure", "--what", "heads", "--prompts", "1", "--model", path);
        expect(measured).toMatchObject({ err: "", code: 0 });
        expect(measured.out).toMatch(/^heads\.safetensors: heads sha256:\w{64} of \d+ tokens\nmost: head \d+\.\d /);
        const args = [...oneNeedle, "--measured", "."];
        const { out, err, code } = await run("needle", ...args, "--methods", "headkv,duoattention", "--json");
        expect({ err, code }).toEqual({ err: "", code: 0 });
        const rows = linesOf(out);
        expect(rows.map(({ method }) => method)).toEqual(["headkv", "duoattention"]);
        for (const { methodOptions } of rows) expect(measured.out).toContain(methodOptions.heads);
        const missing = await run("needle", ...args, "--methods", "lukv");
        expect([missing.code, missing.err]).toEqual([1, expect.stringContaining("bun run measure --what curves")]);
      },
      PATIENCE,
    );

    test(
      "what evicts while answers are decoded is asked for beside a method, and results say it",
      async () => {
        const methods = "snapkv+everysteps,full+streamingwindow,full+streamingwindow:25%,h2o+heavyhitters:80";
        const { out, err, code } = await run(
          "needle",
          ...oneNeedle,
          "--methods",
          methods,
          "--json",
          "--store",
          "evict.duckdb",
        );
        expect({ err, code }).toEqual({ err: "", code: 0 });
        const rows = linesOf(out);
        const said = rows.map(({ method, budget, methodOptions: { evict } }) => [method, budget, evict.options.budget]);
        expect(said).toEqual([
          ["snapkv+everysteps", "64", 64],
          ["full+streamingwindow", "64", 64],
          ["full+streamingwindow", "25%", "25%"],
          ["h2o+heavyhitters:80", "64", 80],
        ]);
      },
      PATIENCE,
    );

    test(
      "the funnel and the cost are drawn",
      async () => {
        const funnel = await run("funnel", "--model", path, "--out", "funnel.svg", "--json");
        expect(funnel).toMatchObject({ err: "", code: 0 });
        const { layers, provenance } = JSON.parse(funnel.out);
        expect(layers).toHaveLength(30);
        expect(provenance.weights).toStartWith("sha256:");
        expect(readFileSync(join(folder, "funnel.svg"), "utf8")).toContain("document 3");
        const cost = await run("cost", "--model", path, "--lengths", "100,200", "--tokens", "2", "--out", "cost.png");
        expect(cost).toMatchObject({ err: "", code: 0 });
        expect(readFileSync(join(folder, "cost.png")).subarray(1, 4).toString()).toBe("PNG");
      },
      PATIENCE,
    );

    test(
      "a document is compressed once, saved, and asked again",
      async () => {
        const grass = "The grass is green. The sky is blue. ".repeat(20);
        writeFileSync(join(folder, "doc.txt"), `${grass}The code of the safe is 7319. ${grass}`);
        const questions = ["What is the code of the safe?", "What colour is the grass?"];
        const saving = await run("ask", "doc.txt", ...questions, "--model", path, "--save", "doc.safetensors");
        expect(saving).toMatchObject({ err: "", code: 0 });
        for (const part of ["keydiff", ...questions, "7319", "green"]) expect(saving.out).toContain(part);
        const child = Bun.spawn(
          [process.execPath, join(root, "recipes/ask.ts"), "--model", path, "--load", "doc.safetensors", "--json"],
          {
            cwd: folder,
            stdin: new Blob([`${questions[0]}\n\n${"long ".repeat(9000)}\n${questions[1]}\n`]),
            stdout: "pipe",
            stderr: "pipe",
          },
        );
        const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
        // A question too long for the model is told, and keeps no other from its answer.
        expect(code).toBe(1);
        expect(err.trim().split("\n")).toHaveLength(1);
        expect(err).toContain("context");
        const [about, ...answers] = linesOf(out);
        expect(about.method).toMatchObject({ name: "keydiff", budget: 256 });
        expect(answers.map(({ question }) => question)).toEqual(questions);
        for (const { answer } of answers) expect(saving.out).toContain(answer);
      },
      PATIENCE,
    );
  });
}
