/** The same pictures under Deno, to the letter, and the same laws. */
import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { toHtml, toSvg } from "../../src/pictures/index.ts";
import { pictures } from "./samples.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

async function deno(...args: readonly string[]) {
  const command = [process.execPath, "node_modules/deno/bin.cjs", ...args];
  const env = { ...process.env, NO_COLOR: "1" };
  const child = Bun.spawn(command, { cwd: root, stdout: "pipe", stderr: "pipe", env });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

test("Deno draws what Bun draws", async () => {
  const script = `import { toHtml, toSvg } from "./src/pictures/index.ts";
    import { pictures } from "./test/pictures/samples.ts";
    const parts = Object.values(pictures(["snapkv", "<&"]));
    const svgs = [];
    for (const picture of parts) svgs.push(await toSvg(picture));
    console.log(JSON.stringify({ svgs, html: await toHtml({ title: "Page", parts }) }));`;
  const { code, out, err } = await deno("eval", script);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const parts = Object.values(pictures(["snapkv", "<&"]));
  const svgs: string[] = [];
  for (const picture of parts) svgs.push(await toSvg(picture));
  expect(JSON.parse(out)).toEqual({ svgs, html: await toHtml({ title: "Page", parts }) });
});

test("the laws of PNGs, widths and funnels hold under Deno", async () => {
  const { code, out, err } = await deno("test", "--allow-all", "test/pictures/font.test.ts", "test/funnel");
  expect({ code, err }).toMatchObject({ code: 0 });
  expect(out).toMatch(/ok \| [1-9]\d* passed .*\| 0 failed/);
});
