import { describe, test } from "bun:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { browserBuilds } from "../../src/pictures/browser.ts";
import { type Page, toHtml, vegaLite } from "../../src/pictures/index.ts";
import { holds } from "../support/seed.ts";
import { pictures } from "./samples.ts";

const SCRIPT = /<script type="application\/json" class="vega-lite">([\s\S]*?)<\/script>/g;
const EVIL = "</script><script>alert(1)</script><!--<script>";

/** What of a page is ours: without the builds of Vega, which are the same in all. */
async function ownHtml(page: Page): Promise<string> {
  const builds = await browserBuilds();
  return builds.reduce((html, build) => html.replace(build, () => ""), await toHtml(page));
}

describe("a page", () => {
  test("holds its pictures' specifications and data as they are, whatever the names", () =>
    holds(
      fc.uniqueArray(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(EVIL, "&lt;", "'\"", "$&$1")), {
        minLength: 1,
        maxLength: 3,
      }),
      async (names) => {
        const parts = Object.values(pictures(names));
        const html = await ownHtml({ title: names.join(), parts });
        const held = [...html.matchAll(SCRIPT)].map(([, json = ""]): unknown => JSON.parse(json));
        assert.deepEqual(held, JSON.parse(JSON.stringify(parts.map((part) => vegaLite(part)))));
      },
      12,
    ));

  test("has no element but its own, whatever is said where", () =>
    holds(
      fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(EVIL, '" onload="x', "<img src=x onerror=y>")),
      async (text) => {
        const page = (said: string): Page => ({
          title: said,
          parts: [{ heading: said }, { text: said }, { lines: [said] }, { columns: [{ name: said }], rows: [[said]] }],
        });
        const tags = (html: string) => [...html.matchAll(/<\/?[a-z][^>]*>/gi)].map(([tag]) => tag);
        assert.deepEqual(tags(await ownHtml(page(text))), tags(await ownHtml(page(""))));
      },
    ));

  test("says what it was given", async () => {
    const html = await ownHtml({
      title: "A & B",
      parts: [
        { heading: "One < two" },
        { columns: [{ name: "n", number: true }], rows: [["1"]] },
        { lines: ["a 'b'", "c"] },
      ],
    });
    for (const part of [
      "<h1>A &amp; B</h1>",
      "<h2>One &lt; two</h2>",
      '<td class="number">1</td>',
      "<pre>a &#39;b&#39;\nc</pre>",
    ]) {
      assert.ok(html.includes(part), part);
    }
  });

  test("loads nothing: no addresses in its tags, and a policy against those in its scripts", async () => {
    const html = await ownHtml({ title: "Page", parts: Object.values(pictures(["snapkv"])) });
    assert.ok(!/<(?:link|img|iframe|object|embed|base)\b|\b(?:src|href)=/i.test(html));
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? "";
    assert.ok(policy.startsWith("default-src 'none'") && !/connect-src|https?:|\*/.test(policy));
  });

  test("brings Vega's builds, which can stand in a script element", async () => {
    const builds = await browserBuilds();
    assert.equal(builds.length, 3);
    const html = await toHtml({ title: "Page", parts: [] });
    for (const build of builds) {
      assert.ok(build.length > 50_000 && html.includes(build));
      assert.ok(!/<\/script|<!--|sourceMappingURL/i.test(build));
    }
  });
});
