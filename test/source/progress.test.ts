import { describe, expect, test } from "bun:test";
import { PassThrough } from "node:stream";
import { progressView, type TerminalStream } from "../../src/model/source/progress.ts";

function terminal(isTTY: boolean) {
  let text = "";
  const stream: TerminalStream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  stream.on("data", (bytes: Buffer) => {
    text += bytes.toString("utf8");
  });
  return { stream, text: () => text };
}

const step = (file: string, received: number, total: number | null) => ({ file, received, total, source: "Hub" });

describe("progress", () => {
  test("is one line per file where nobody watches", () => {
    const { stream, text } = terminal(false);
    using view = progressView(stream);
    for (const received of [1 << 20, 2 << 20, 3 << 20]) view.onProgress(step("a", received, 3 << 20));
    view.onProgress(step("b", 1, null));
    view.onProgress({ ...step("c", 1, 2), device: "a GPU" }); // no download
    expect(text()).toBe("fetching a (3 MiB) from Hub\nfetching b from Hub\n");
  });

  test("is a bar on a terminal, which goes away", () => {
    const { stream, text } = terminal(true);
    {
      using view = progressView(stream);
      view.onProgress(step("weights", 1 << 20, 4 << 20));
      view.onProgress(step("weights", 4 << 20, 4 << 20));
      view.onProgress({ ...step("weights", 3 << 20, 4 << 20), device: "a GPU" });
      view.onProgress(step("wheel", 5 << 20, null));
    }
    expect(text()).toContain("weights [");
    expect(text()).toContain("4 MiB of 4");
    expect(text()).toContain("3 MiB of 4 | to a GPU");
    expect(text()).toContain("wheel [");
    expect(text()).toContain("5 MiB | Hub");
    expect(text()).toEndWith("\u001b[1G\u001b[2K");
  });

  test("that never began says nothing", () => {
    const { stream, text } = terminal(true);
    progressView(stream)[Symbol.dispose]();
    expect(text()).toBe("");
  });
});
