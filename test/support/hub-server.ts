/**
 * A Hub in one process, and a CDN on another origin: listing, revisions, redirects, ranges, ETags and refusals as the real
 * ones give them, and faults on demand. It counts the bytes it sends and keeps the headers it got.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface HubFile {
  readonly content: Uint8Array;
  /** Stored by LFS: named by SHA-256, served by the CDN. */
  readonly lfs: boolean;
}

/** How the server misbehaves; each request may consult and change it. */
export interface Faults {
  /** Refuse with this status; `times` counts down. `api` meets the questions, `files` the contents. */
  refuse?: { at: "api" | "files"; status: number; times: number; headers?: Record<string, string> };
  /** Cut or stall the connection after this many bytes of a large file's body; `times` counts down. */
  interrupt?: { after: number; how: "cut" | "stall"; times: number };
  /** Answer nothing at all to the questions. */
  silent?: boolean;
  ignoreRange?: boolean;
  /** Serve these bytes instead. */
  substitute?: Map<string, Uint8Array>;
  /** Entries put into the listing as they are. */
  listing?: readonly unknown[];
}

export interface HubRequest {
  readonly origin: "hub" | "cdn";
  readonly url: string;
  readonly range: string | null;
  readonly authorization: string | null;
  /** Bytes of content sent. */
  sent: number;
}

export interface HubServer extends AsyncDisposable {
  readonly url: string;
  readonly id: string;
  readonly files: Map<string, HubFile>;
  faults: Faults;
  requests: HubRequest[];
  /** Answers a request in the server's stead, or says that it did not. */
  route: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** The commit that "main" stands for: a new one for each change of the files. */
  commit(): string;
  sent(path: string): number;
}

export const small = (text: string): HubFile => ({ content: new TextEncoder().encode(text), lfs: false });
export const large = (content: Uint8Array): HubFile => ({ content, lfs: true });

/** Bytes without a pattern, the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

export const hashOf = ({ content, lfs }: HubFile): string =>
  lfs
    ? createHash("sha256").update(content).digest("hex")
    : createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");

const commitOf = (files: Map<string, HubFile>): string =>
  createHash("sha1")
    .update(JSON.stringify([...files].map(([path, file]) => [path, hashOf(file)])))
    .digest("hex");

export async function startHub(id: string, content: Record<string, HubFile>): Promise<HubServer> {
  const files = new Map(Object.entries(content));
  const hub: HubServer = {
    url: "",
    id,
    files,
    faults: {},
    requests: [],
    route: () => false,
    commit: () => commitOf(files),
    sent: (path) => hub.requests.filter(({ url }) => url.includes(path)).reduce((sum, { sent }) => sum + sent, 0),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([front.close(), cdn.close()]);
    },
  };
  const cdn = await listen((request, response) => void serveFile(hub, "cdn", request, response));
  const front = await listen((request, response) => void serve(hub, cdn.url, request, response));
  return Object.assign(hub, { url: front.url });
}

async function listen(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, close };
}

function serve(hub: HubServer, cdnUrl: string, request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? "/";
  const { faults, files } = hub;
  if (hub.route(request, response)) return;
  const api = url.startsWith("/api/");
  if (faults.refuse?.at === (api ? "api" : "files") && faults.refuse.times-- > 0) {
    note(hub, "hub", request);
    response.writeHead(faults.refuse.status, faults.refuse.headers).end("no");
    return;
  }
  if (api) {
    note(hub, "hub", request);
    if (!faults.silent) serveApi(hub, url, response);
    return;
  }
  const path = fileIn(hub, url);
  const file = files.get(path);
  if (file === undefined) {
    note(hub, "hub", request);
    response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
  } else if (file.lfs) {
    note(hub, "hub", request);
    const linked = { "x-linked-etag": `"${hashOf(file)}"`, "x-linked-size": String(file.content.length) };
    response.writeHead(302, { location: cdnUrl + url, "x-repo-commit": hub.commit(), ...linked }).end();
  } else serveFile(hub, "hub", request, response);
}

function serveApi(hub: HubServer, url: string, response: ServerResponse): void {
  const [, , , , , what, revision = ""] = new URL(url, hub.url).pathname.split("/");
  const json = (value: unknown) =>
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  const refuse = (code: string) => response.writeHead(404, { "x-error-code": code }).end();
  const repo = hub.id.startsWith("datasets/") ? hub.id : `models/${hub.id}`;
  if (!url.startsWith(`/api/${repo}/`)) refuse("RepoNotFound");
  else if (![hub.commit(), "main", "HEAD", "v1.0"].includes(decodeURIComponent(revision))) refuse("RevisionNotFound");
  else if (what === "revision")
    json({ _id: "0", id: hub.id, sha: hub.commit(), lastModified: "2026-01-01T00:00:00.000Z" });
  else json([...[...hub.files].map(([path, file]) => entry(path, file)), ...(hub.faults.listing ?? [])]);
}

/** A file as the Hub lists it; `path` may be anything here. */
export function entry(path: string, file: HubFile) {
  const size = file.content.length;
  const plain = { type: "file", path, size, oid: hashOf({ ...file, lfs: false }) };
  return file.lfs ? { ...plain, lfs: { oid: hashOf(file), size, pointerSize: 134 } } : plain;
}

const fileIn = (hub: HubServer, url: string): string =>
  decodeURIComponent(new URL(url, hub.url).pathname).replace(`/${hub.id}/resolve/`, "").split("/").slice(1).join("/");

async function serveFile(hub: HubServer, origin: "hub" | "cdn", request: IncomingMessage, response: ServerResponse) {
  const seen = note(hub, origin, request);
  const { faults } = hub;
  const path = fileIn(hub, request.url ?? "/");
  const file = hub.files.get(path) ?? small("");
  const content = faults.substitute?.get(path) ?? file.content;
  const size = content.length;
  const asked = faults.ignoreRange ? null : /^bytes=(\d+)-(\d*)$/.exec(seen.range ?? "");
  const start = Number(asked?.[1] ?? 0);
  const end = Math.min(size, asked?.[2] ? Number(asked[2]) + 1 : size);
  const headers = {
    etag: `"${hashOf({ ...file, content })}"`,
    "content-length": String(end - start),
    "accept-ranges": "bytes",
  };
  response.writeHead(asked ? 206 : 200, {
    ...headers,
    ...(asked && { "content-range": `bytes ${start}-${end - 1}/${size}` }),
  });
  const probe = seen.range === "bytes=0-0";
  const interrupt = file.lfs && !probe ? faults.interrupt : undefined;
  const fault = interrupt && interrupt.times-- > 0 ? interrupt : undefined;
  const stop = fault ? Math.min(end, start + fault.after) : end;
  for (let at = start; at < stop && !response.destroyed; ) {
    const part = content.subarray(at, Math.min(stop, at + 16_384));
    await new Promise((resolve) => response.write(part, resolve));
    at += part.length;
    if (!probe) seen.sent += part.length;
  }
  // Later than the bytes: a client may drop what it has not looked at when the connection goes.
  if (fault?.how === "cut") setTimeout(() => response.socket?.destroy(), 50);
  else if (!fault) response.end();
}

function note(hub: HubServer, origin: "hub" | "cdn", { url = "/", headers }: IncomingMessage): HubRequest {
  const seen = { origin, url, range: headers.range ?? null, authorization: headers.authorization ?? null, sent: 0 };
  hub.requests.push(seen);
  return seen;
}
