import { describe, expect, test } from "bun:test";
import { type ChatMessage, renderChat } from "../../src/model/tokenizer/chat.ts";
import { cpuTime } from "../support/cpu-time.ts";
import { faultOf } from "./helpers.ts";

const hello: readonly ChatMessage[] = [{ role: "user", content: "Hi" }];
const render = (source: string, messages = hello, addGenerationPrompt = true): string =>
  renderChat({ source, specialTokens: { bos_token: "<s>", eos_token: "</s>" } }, messages, addGenerationPrompt);

describe("a template", () => {
  test("sees the messages, the special tokens and whether to open a turn", () => {
    const source =
      "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m['content'] | trim }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}>{% endif %}";
    const messages = [...hello, { role: "assistant", content: " Hello! " }];
    expect(render(source, messages)).toBe("<s>[user] Hi</s>[assistant] Hello!</s>>");
    expect(render(source, messages, false)).toBe("<s>[user] Hi</s>[assistant] Hello!</s>");
  });

  test("may use what Llama 3's uses: namespaces, macros, dates, slices, JSON", () => {
    const source = `{%- set ns = namespace(n=0) -%}
      {%- macro turn(m, name="?") -%}{{ m.role ~ ":" ~ m.content ~ name }}{%- endmacro -%}
      {%- for m in messages[0:1] -%}{%- set ns.n = ns.n + loop.index -%}{{ turn(m, name="!") }}{%- endfor -%}
      {{- ns.n }} {{ range(2, 8, 3) | list | tojson(indent=2) }} {{ messages | map(attribute="role") | join(", ") }}`;
    expect(render(source)).toBe("user:Hi!1 [\n  2,\n  5\n] user");
    expect(render("{{ strftime_now('%d %b %Y, 100%% %q') }}")).toMatch(/^\d\d [A-Z][a-z]{2} \d{4}, 100% %q$/);
  });

  test("may be given a long conversation", () => {
    const messages = Array.from({ length: 1000 }, (_, i) => ({
      role: i % 2 ? "assistant" : "user",
      content: `${i} `.repeat(300),
    }));
    const source =
      "{% for m in messages %}{% if loop.index0 > 0 and messages[loop.index0 - 1].role == m.role %}{{ raise_exception('twice') }}{% endif %}<|{{ m.role }}|>{{ m.content | trim }}\n{% endfor %}";
    expect(render(source, messages).length).toBeGreaterThan(1_000_000);
  });

  test("may raise an exception, which is told", async () => {
    const { code, message } = await faultOf(() => render("{{ raise_exception('roles must alternate') }}"));
    expect(code).toBe("template_failed");
    expect(message).toContain("roles must alternate");
  });
});

const grown = (times: number, body: string): string =>
  `{% set ns = namespace(s='ab') %}{% for i in range(${times}) %}{% set ns.s = ns.s + ns.s %}{% endfor %}${body}`;
const shared = (literal: string, use: string): string =>
  `{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = ${literal} %}{% endfor %}${use}`;
const deep = (open: string, inner: string, close: string, times: number): string =>
  open.repeat(times) + inner + close.repeat(times);

/** Each would take all time or all memory, or crash the parser. */
const hostile: Readonly<Record<string, string>> = {
  "loops in loops": deep("{% for i in range(10000) %}", "x", "{% endfor %}", 4),
  "loops in loops that do nothing": deep("{% for i in range(10000) %}", "", "{% endfor %}", 4),
  "a range without end": "{% for i in range(10**12) %}x{% endfor %}",
  "a range that does not move": "{{ range(0, 10, 0) }}",
  "a range to nowhere": "{{ range(0, 1 / 0) }}",
  "a range of words": "{{ range('x') }}",
  "text that doubles": grown(60, "{{ ns.s }}"),
  "a list that doubles": shared("ns.s + ns.s", "{{ ns.s }}"),
  "a list of itself, twice, printed": shared("[ns.s, ns.s]", "{{ ns.s }}"),
  "a list of itself, twice, compared": shared("[ns.s, ns.s]", "{{ ns.s == 'x' }}"),
  "a dictionary of itself, twice": shared("{'a': ns.s, 'b': ns.s}", "{{ ns.s | tojson }}"),
  "a value in itself": "{% set ns = namespace() %}{% set ns.a = [ns, ns] %}{{ ns }}",
  "a macro that calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
  "a macro that calls itself, in a loop":
    "{% macro f() %}{% for i in range(10000) %}{{ f() }}{% endfor %}{% endmacro %}{{ f() }}",
  "long text, repeated": grown(
    17,
    "{% for i in range(10000) %}{% for j in range(10000) %}{{ ns.s }}{% endfor %}{% endfor %}",
  ),
  "long text, changed again and again": grown(
    17,
    "{% for i in range(10000) %}{% set x = ns.s | upper | lower %}{% endfor %}",
  ),
  "long text, split": grown(17, "{% for i in range(10000) %}{% set x = ns.s.split('b') %}{% endfor %}"),
  "long text, sliced": grown(17, "{% for i in range(10000) %}{% set x = ns.s[1:] %}{% endfor %}"),
  "long text for each character": grown(17, "{{ ns.s.replace('', ns.s) }}"),
  "long text for each character, by a filter": grown(17, "{{ ns.s | replace('', ns.s) }}"),
  "long text for each character, by another name": grown(17, "{% set f = ns.s['re' ~ 'place'] %}{{ f('', ns.s) }}"),
  "long text between items": grown(17, "{{ range(10000) | join(ns.s) }}"),
  "long text searched for": grown(17, "{{ (ns.s[1:100000] ~ 'bb') in ns.s }}"),
  "a wide indent": "{{ 'a\\nb' | indent(10**9) }}",
  "a wide indent, unpacked": "{% set w = [10**9] %}{{ 'a\\nb' | indent(*w) }}",
  "a wide indent of a block": "{% filter indent(width=10**9) %}a\nb{% endfilter %}",
  "a wide indent of JSON": "{{ [1, 2] | tojson(indent=10**9) }}",
  "sorting for ever":
    "{% set r = range(10000) %}{% for i in range(10000) %}{% set x = r | sort | reverse | sort %}{% endfor %}",
  "macros made for ever": `{% for i in range(10000) %}{% macro f() %}${"{{ 1 }}".repeat(10_000)}{% endmacro %}{% endfor %}`,
  "deep parentheses": `{{ ${deep("(", "1", ")", 90_000)} }}`,
  "deep lists": `{{ ${deep("[", "", "]", 90_000)} }}`,
  "deep negation": `{{ ${"not ".repeat(40_000)} 1 }}`,
  "deep conditions": deep("{% if 1 %}", "", "{% endif %}", 8_000),
  "a long sum": `{{ 1${"+1".repeat(90_000)} }}`,
  "a long chain of filters": `{{ 'a'${"|upper".repeat(30_000)} }}`,
  "a long chain of members": `{{ a${".b".repeat(90_000)} }}`,
  "a sea of blanks": `${" ".repeat(190_000)}{%`,
  "lakes of blanks": `${" ".repeat(998)}{%`.repeat(190),
  "a book": "x".repeat(1_000_000),
  "half an expression": "{{ 'abc",
  "half a statement": "{% for x in %}",
  "half a comment": "{#",
  "an end without a start": "{% endfor %}",
  "a break without a loop": "{% break %}",
  "JavaScript's own": "{{ ''.constructor.constructor('return process')() }}",
};

describe("a hostile template fails within two seconds", () => {
  test.each(Object.entries(hostile))("%s", async (_name, source) => {
    const [started, memory] = [cpuTime(), process.memoryUsage().rss];
    expect((await faultOf(() => render(source))).code).toBe("template_failed");
    expect(cpuTime() - started).toBeLessThan(2000);
    expect(process.memoryUsage().rss - memory).toBeLessThan(512e6);
  });
});
