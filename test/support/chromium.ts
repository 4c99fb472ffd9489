/** A headless browser with WebGPU on SwiftShader, from npm, spoken to in the DevTools protocol. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseTar } from "nanotar";
import { connect, openTab, type Tab } from "./devtools.ts";
import { archived, unpacked } from "./unpacked.ts";

export interface Browser extends AsyncDisposable {
  tab(): Promise<Tab>;
}

/** The browser comes for these machines only. */
export const hasChromium = process.platform === "linux" && process.arch === "x64";

const FLAGS = [
  "--headless",
  "--no-sandbox", // root has none
  "--no-first-run",
  "--remote-debugging-port=0",
  "--disable-dev-shm-usage",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-dawn-features=disable_workgroup_init", // compiles much faster; harmless here, where memory is fresh
];

/** Starts it; disposing ends it and takes its profile away. */
export async function startChromium(): Promise<Browser> {
  const folder = await unpacked("chromium", unpack);
  const profile = await mkdtemp(join(tmpdir(), "pyramidkv-profile-"));
  const child = Bun.spawn([join(folder, "chromium"), ...FLAGS, `--user-data-dir=${profile}`, "about:blank"], {
    stdout: "ignore",
    stderr: "pipe",
    env: {
      ...process.env,
      LD_LIBRARY_PATH: join(folder, "lib"),
      FONTCONFIG_FILE: join(folder, "fonts.conf"),
    },
  });
  const connection = await connect(await address(child.stderr));
  return {
    tab: () => openTab(connection),
    async [Symbol.asyncDispose]() {
      connection[Symbol.dispose]();
      child.kill("SIGKILL");
      await child.exited;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function unpack(folder: string): Promise<void> {
  await writeFile(join(folder, "chromium"), await archived("chromium.br"), { mode: 0o755 });
  for (const name of ["al2023.tar.br", "fonts.tar.br", "swiftshader.tar.br"])
    for (const { name: path, data, type } of parseTar(await archived(name))) {
      if (data === undefined || type !== "file") continue;
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), data, { mode: 0o755 });
    }
  const fonts = `<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="relative">fonts-cache</cachedir></fontconfig>`;
  await writeFile(join(folder, "fonts.conf"), `<?xml version="1.0"?>\n${fonts}\n`);
}

/** Where it listens, which it says on stderr. */
async function address(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let said = "";
  const text = new TextDecoder();
  for await (const part of stderr) {
    said += text.decode(part, { stream: true });
    const [, url] = /DevTools listening on (\S+)/.exec(said) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error(`the browser did not start: ${said}`);
}
