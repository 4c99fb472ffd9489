import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { KvError } from "../error.ts";
import { toHtml } from "./html.ts";
import type { Page } from "./page.ts";
import { toPng } from "./png.ts";
import { type Specification, vegaLite } from "./specification.ts";
import { toSvg } from "./svg.ts";

/** What a file's ending asks for. */
const FORMATS: Readonly<Record<string, (drawn: Specification) => Promise<string | Uint8Array>>> = {
  ".svg": toSvg,
  ".png": (drawn) => toPng(drawn),
  ".html": (drawn) => toHtml({ title: drawn.title, parts: [drawn] }),
  ".json": async (drawn) => `${JSON.stringify(vegaLite(drawn), null, 2)}\n`,
};

/**
 * Writes a picture as its path's ending says: .svg, .png, .html (interactive, self-contained) or .json (Vega-Lite). Either the whole
 * file is there or what was there before.
 *
 * @throws KvError `invalid_option` for another ending, `disk_error`
 */
export async function save(drawn: Specification, path: string): Promise<void> {
  await writeWhole(path, await formatOf(path)(drawn));
}

/** For what takes long to draw: refuses a path whose ending says no format. @throws KvError `invalid_option` */
export const checkPicturePath = (path: string): void => void formatOf(path);

function formatOf(path: string) {
  const format = FORMATS[extname(path).toLowerCase()];
  if (format !== undefined) return format;
  const allowed = `a file that ends in ${new Intl.ListFormat("en", { type: "disjunction" }).format(Object.keys(FORMATS))}`;
  throw new KvError({ code: "invalid_option", path: ["save", "path"], found: path, allowed });
}

/** Writes a page as HTML. Either the whole file is there or what was there before. @throws KvError `disk_error` */
export async function savePage(page: Page, path: string): Promise<void> {
  await writeWhole(path, await toHtml(page));
}

/** Beside it first, under a name of this call alone; then into place. */
async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const fresh = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await writeFile(fresh, content);
    await rename(fresh, path);
  } catch (cause) {
    await rm(fresh, { force: true }).catch(() => undefined); // the first fault is the one to tell
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new KvError({
      code: "disk_error",
      path: [path],
      found,
      allowed: "a place that can be written and has room",
      cause,
    });
  }
}
