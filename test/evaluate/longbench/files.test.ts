/** Files as they are in the world: missing, empty, spoilt, from other systems. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { KvError } from "../../../src/error.ts";
import { longBench, longBenchE, longBenchTasks, longBenchV2 } from "../../../src/evaluate/tasks/longbench/index.ts";
import type { Tokenizer } from "../../../src/model/tokenizer/tokenizer.ts";
import { faultOf, scratch } from "../../model/helpers.ts";
import { examplesOf, FIXTURES, reader, textOf } from "./helpers.ts";

setDefaultTimeout(60_000);

const record = (more: object = {}) => ({
  _id: "a",
  input: "Who?",
  context: "Ida did.",
  answers: ["Ida"],
  length: 3,
  dataset: "qasper",
  language: "en",
  all_classes: null,
  ...more,
});
const good = JSON.stringify(record());

/** A folder with one file of qasper's. */
const folderOf = (content: string | Uint8Array) => scratch({ "qasper.jsonl": content });
const read = (folder: string, options = {}, to = reader()) =>
  examplesOf(longBench("qasper", { folder, ...options }), to);

describe("an example", () => {
  test("has the record's id, answers and data set; in LongBench-E, the band of its length", async () => {
    using folder = scratch({ "qasper.jsonl": good, "data/qasper_e.jsonl": JSON.stringify(record({ length: 8000 })) });
    const [plain] = await read(folder.path);
    expect(plain).toMatchObject({ id: "a", answers: ["Ida"], classes: [] });
    expect(plain?.facets).toEqual({ dataset: "qasper" });
    const [extended] = await examplesOf(longBenchE("qasper", { folder: folder.path }));
    expect(extended?.facets).toEqual({ dataset: "qasper_e", length: "8k+" });
  });

  test("takes its texts as they are, whatever they look like", async () => {
    using folder = folderOf(JSON.stringify(record({ context: "$& {input} $1 {context}", input: "{context} $$" })));
    const [example] = await read(folder.path);
    const text = example === undefined ? "" : textOf(example);
    expect(text).toContain("Article: $& {input} $1 {context}\n");
    expect(text).toContain("Question: {context} $$\n");
  });

  test("keeps an id of its own where the file has one twice", async () => {
    using folder = folderOf(`${good}\n${good}\n`);
    expect((await read(folder.path)).map(({ id }) => id)).toEqual(["a", "a (line 2)"]);
  });

  test("is cut to maxLength, and only the first ones are read where few are asked for", async () => {
    using folder = folderOf(`${good}\n${good}\nspoilt`);
    const [cut, ...rest] = await read(folder.path, { maxLength: 20, examples: 2 });
    expect(rest).toHaveLength(1);
    expect(cut?.prompt).toHaveLength(1 + "<user><assistant>".length + 19);
  });
});

describe("a file", () => {
  test.each([
    ["with a byte order mark", `\ufeff${good}\n`],
    ["with Windows' line ends", `${good}\r\n\r\n`],
    ["without a last newline", good],
    ["with blank lines", `\n${good}\n\n  \n`],
  ])("%s reads the same", async (_name, content) => {
    using plain = folderOf(`${good}\n`);
    using folder = folderOf(content);
    expect(await read(folder.path)).toEqual(await read(plain.path));
  });

  test.each([
    ["no JSON", good.slice(0, 30), ["line 2"]],
    ["JSON of another kind", "[1]", ["line 2"]],
    ["a field missing", JSON.stringify(record({ context: undefined })), ["line 2", "context"]],
    ["a field of the wrong type", JSON.stringify(record({ answers: "Ida" })), ["line 2", "answers"]],
    ["an answer of the wrong type", JSON.stringify(record({ answers: ["Ida", 7] })), ["line 2", "answers", 1]],
    ["no answers", JSON.stringify(record({ answers: [] })), ["line 2", "answers"]],
    ["no UTF-8", Uint8Array.of(0x22, 0xff, 0x22), ["line 2"]],
    ["a million brackets", "[".repeat(1_000_000), ["line 2"]],
  ])("with %s in its middle is refused with the line; or only the line is, where asked", async (_name, bad, place) => {
    using folder = folderOf(Buffer.concat([`${good}\n`, bad, `\n${good}\n`].map((part) => Buffer.from(part))));
    const file = join(folder.path, "qasper.jsonl");
    const fault = await faultOf(() => read(folder.path));
    expect([fault.code, fault.path]).toEqual(["corrupt_file", [file, ...place]]);
    const skipped: KvError[] = [];
    const to = reader({ onSkip: (fault) => skipped.push(fault) });
    expect(await read(folder.path, { onMalformed: "skip" }, to)).toHaveLength(2);
    expect(skipped.map(({ path }) => path)).toEqual([[file, ...place]]);
  });

  test("with an enormous line is refused, or read without it", async () => {
    using folder = folderOf(Buffer.concat([Buffer.alloc((64 << 20) + 1, "x"), Buffer.from(`\n${good}\n`)]));
    const fault = await faultOf(() => read(folder.path));
    expect([fault.code, fault.path.at(-1)]).toEqual(["corrupt_file", "line 1"]);
    expect(await read(folder.path, { onMalformed: "skip" }, reader({ onSkip: () => {} }))).toHaveLength(1);
  });

  test.each([
    ["empty", ""],
    ["blank", "\n\n"],
    ["spoilt from end to end", "x\ny\n"],
  ])("%s has no examples, and says so", async (_name, content) => {
    using folder = folderOf(content);
    const to = reader({ onSkip: () => {} });
    const fault = await faultOf(() => read(folder.path, { onMalformed: "skip" }, to));
    expect([fault.code, fault.found]).toEqual(["corrupt_file", "no examples"]);
  });

  test("lines left out are a warning of the process where nobody asks to be told", async () => {
    using folder = folderOf(`${good}\nspoilt\n`);
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    await read(folder.path, { onMalformed: "skip" });
    expect(String((await warned).message)).toContain("line 2");
  });
});

describe("a folder", () => {
  test.each([
    ["that is not there", "/nowhere/at/all"],
    ["without the file", import.meta.dir],
  ])("%s is refused with what it should have", async (_name, folder) => {
    const fault = await faultOf(() => read(folder));
    expect([fault.code, fault.path, fault.found]).toEqual(["invalid_option", ["longbench/qasper", "folder"], folder]);
    expect(fault.allowed).toContain("qasper.jsonl");
  });

  test("in the file's place is no file", async () => {
    using folder = scratch({ "qasper.jsonl/x": "" });
    expect((await faultOf(() => read(folder.path))).code).toBe("invalid_option");
  });

  test("with an archive that is none is refused with its name", async () => {
    using folder = scratch({ "data.zip": "no archive" });
    const fault = await faultOf(() => read(folder.path));
    expect([fault.code, fault.path]).toEqual(["corrupt_file", [join(folder.path, "data.zip")]]);
  });
});

describe("LongBench v2", () => {
  const item = { _id: "a", difficulty: "easy", length: "short", question: "Who?", choice_A: "Ida", choice_B: "Ole" };
  const whole = { ...item, choice_C: "x", choice_D: "y", answer: "A", context: "Ida did." };
  test("names the item at fault, or leaves it out", async () => {
    using folder = scratch({ "data.json": JSON.stringify([whole, { ...whole, answer: "E" }, whole]) });
    const options = { folder: folder.path };
    const fault = await faultOf(() => examplesOf(longBenchV2(options)));
    expect([fault.code, fault.path]).toEqual(["corrupt_file", [join(folder.path, "data.json"), "item 2", "answer"]]);
    const skipped: KvError[] = [];
    const to = reader({ onSkip: (fault) => skipped.push(fault) });
    expect(await examplesOf(longBenchV2({ ...options, onMalformed: "skip" }), to)).toHaveLength(2);
    expect(skipped).toHaveLength(1);
  });
});

describe("options", () => {
  test("that are unknown or wrong are refused before anything is read", async () => {
    for (const [options, option] of [
      [{ example: 3 }, "example"],
      [{ examples: 0 }, "examples"],
      [{ maxLength: 1.5 }, "maxLength"],
      [{ folder: "" }, "folder"],
      [{ hub: "../etc" }, "hub"],
      [{ chat: 1 }, "chat"],
      [{ onMalformed: "ignore" }, "onMalformed"],
    ] as const) {
      for (const [name, make] of Object.entries(longBenchTasks)) {
        const fault = await faultOf(() => Reflect.apply(make, null, [options]));
        expect([fault.code, fault.path]).toEqual(["invalid_option", [name, option]]);
      }
    }
  });

  test("of a data set that is not known list those that are", async () => {
    const fault = await faultOf(() => longBench("qaspar"));
    expect([fault.code, fault.path, fault.found]).toEqual(["invalid_option", ["longbench", "dataset"], "qaspar"]);
    expect(fault.allowed).toMatch(/narrativeqa, qasper, .* or repobench-p/);
    expect((await faultOf(() => longBenchE("musique"))).allowed).not.toContain("musique");
    expect((await faultOf(() => longBench("toString"))).code).toBe("invalid_option");
  });

  test("are filled in with their defaults, as plain data", () => {
    const defaults = { folder: null, examples: null, maxLength: null, chat: true, onMalformed: "fail" };
    expect(longBench("qasper").options).toEqual({ ...defaults, hub: "THUDM/LongBench" });
    expect(longBenchV2().options).toEqual({ ...defaults, hub: "THUDM/LongBench-v2" });
  });
});

describe("a tokenizer without a chat template", () => {
  const untaught: Tokenizer = {
    ...reader().tokenizer,
    chat: () => {
      throw new KvError({ code: "template_failed", path: ["chat_template"], found: "absent", allowed: "there" });
    },
  };

  test("cannot be asked what needs one, unless that is given up; few-shot and code are asked all the same", async () => {
    const [folder, to] = [FIXTURES, reader({ tokenizer: untaught })];
    expect((await faultOf(() => examplesOf(longBench("qasper", { folder }), to))).code).toBe("template_failed");
    expect(await examplesOf(longBench("qasper", { folder, chat: false }), to)).toHaveLength(2);
    expect(await examplesOf(longBench("trec", { folder }), to)).toHaveLength(2);
  });
});
