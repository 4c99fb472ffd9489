/** A model whose files are in memory is the model of the same files on the disk. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { openModelFolder } from "../../src/model/files.ts";
import { memoryFolder } from "../../src/model/folder.ts";
import { openModel } from "../../src/model/open.ts";
import { memoryFile } from "../../src/model/weights/range-file.ts";
import { faultOf } from "../support/fault.ts";
import { holds } from "../support/seed.ts";

const tiny = fileURLToPath(new URL("../fixtures/tiny", import.meta.url));

const filesOf = (folder: string) =>
  new Map(readdirSync(folder).map((name) => [name, Uint8Array.from(readFileSync(join(folder, name)))]));

describe("in memory", () => {
  for (const family of ["llama", "phi3", "gemma3"])
    test(`${family} has the same config, weights and hash`, async () => {
      using onDisk = await openModel(join(tiny, family));
      using inMemory = openModelFolder(memoryFolder(family, filesOf(join(tiny, family))));
      expect(inMemory.config).toEqual(onDisk.config);
      expect(inMemory.weights.tensors).toEqual(onDisk.weights.tensors);
      for (const { name } of onDisk.weights.tensors)
        expect(inMemory.weights.read(name)).toEqual(onDisk.weights.read(name));
      expect(await inMemory.weights.sha256()).toBe(await onDisk.weights.sha256());
      expect(inMemory.weights.identity()).toBeNull();
    });

  test("a range is those bytes, and one beyond the end is an error that names the file", () =>
    holds(
      fc.record({ bytes: fc.uint8Array({ maxLength: 50 }), offset: fc.nat(60), length: fc.nat(60) }),
      ({ bytes, offset, length }) => {
        const into = new Uint8Array(length).fill(7);
        const file = memoryFile("m.gguf", Uint8Array.from(bytes));
        const wanted = Uint8Array.from(bytes.slice(offset, offset + length));
        if (wanted.length < length)
          expect(() => file.readInto(into, offset)).toThrow(`m.gguf.byte ${offset} is ${wanted.length} bytes`);
        else {
          file.readInto(into, offset);
          expect(into).toEqual(wanted);
        }
      },
    ));

  test("a file that is not among them is an error", async () => {
    const files = filesOf(join(tiny, "llama"));
    files.delete("config.json");
    const fault = await faultOf(async () => openModelFolder(memoryFolder("mine", files)));
    expect(fault).toMatchObject({ code: "model_not_found", path: ["mine/config.json"] });
    const empty = await faultOf(async () => openModelFolder(memoryFolder("mine", new Map())));
    expect(empty).toMatchObject({ code: "model_not_found", path: ["mine"], found: "without weights" });
  });
});
