/** Serves the page, and the models to it. Everything comes from this machine. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { KvError } from "../../src/index.ts";
import type { Served } from "./models.ts";

const folder = fileURLToPath(new URL("page", import.meta.url));

export interface PageServer extends AsyncDisposable {
  readonly url: URL;
}

/**
 * @param port 0 takes a free one
 * @throws KvError `invalid_option` for a port that cannot be had
 */
export async function servePage(models: readonly Served[], port: number): Promise<PageServer> {
  const contents = new Map(models.flatMap((model) => [...model.contents]));
  const pages: Readonly<Record<string, readonly [type: string, content: string]>> = {
    "": ["text/html", await readFile(`${folder}/index.html`, "utf8")],
    "page.css": ["text/css", await readFile(`${folder}/page.css`, "utf8")],
    "page.js": ["text/javascript", await bundled()],
    "models.json": ["application/json", JSON.stringify(models.map(({ offered }) => offered))],
  };
  const answer = (request: Request): Response => {
    const path = new URL(request.url).pathname.slice(1);
    const [type, page] = Object.hasOwn(pages, path) ? (pages[path] ?? []) : [];
    if (page !== undefined)
      return new Response(page, { headers: { ...HEADERS, "content-type": `${type}; charset=utf-8` } });
    const file = contents.get(path);
    if (file === undefined) return new Response("Not found", { status: 404 });
    return new Response(typeof file === "string" ? Bun.file(file) : file, { headers: HEADERS });
  };
  try {
    const server = Bun.serve({ hostname: "localhost", port, fetch: answer });
    return { url: server.url, [Symbol.asyncDispose]: () => server.stop(true) };
  } catch (cause) {
    const hint = String(cause instanceof Error ? cause.message : cause).replace(/\.$/, "");
    const fault = { code: "invalid_option", path: ["--port"], found: port, allowed: "a port that is free" } as const;
    throw new KvError({ ...fault, hint, cause });
  }
}

/** Another page may neither be framed here nor take part. */
const HEADERS = {
  "content-security-policy":
    "default-src 'self'; connect-src 'self' blob:; img-src 'self' data:; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

/** The page's program with all of the library that it uses, in one text. */
async function bundled(): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [`${folder}/main.ts`], target: "browser", minify: true });
  return (await outputs[0]?.text()) ?? "";
}
