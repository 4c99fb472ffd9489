/** Files in Xet storage, as large files on the Hub are now: chunks of blocks from a storage service, through the library. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { type HubServer, noise } from "../support/hub-server.ts";
import { faultOf, SIZE, stage, WEIGHTS } from "./helpers.ts";

setDefaultTimeout(30_000);

const CHUNK = 60_000;
const HEADER = 8;
const original = Buffer.from(noise(SIZE));

/** One block holding the whole file: a header of version, packed length, scheme 0 (plain) and length before each chunk. */
function block(): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < SIZE; at += CHUNK) {
    const chunk = original.subarray(at, at + CHUNK);
    const header = Buffer.alloc(HEADER);
    header.writeUIntLE(chunk.length, 1, 3);
    header.writeUIntLE(chunk.length, 5, 3);
    chunks.push(header, chunk);
  }
  return Buffer.concat(chunks);
}

interface Storage {
  readonly starts: number[];
  readonly authorizations: Set<string>;
  /** Bytes after which the block's connection goes silent; once. */
  stallAfter?: number;
  corrupt?: boolean;
  /** Milliseconds between pieces of the block. */
  slow?: number;
}

/** Makes the Hub answer for the weights as it does for a file in Xet storage. */
function withXet(hub: HubServer): Storage {
  const storage: Storage = { starts: [], authorizations: new Set() };
  hub.route = (request, response) => {
    const url = request.url ?? "";
    if (url.endsWith(WEIGHTS) && request.headers.accept?.includes("xet-fileinfo")) info(hub, response);
    else if (url === "/xet/token") {
      storage.authorizations.add(`hub ${request.headers.authorization}`);
      response.end(JSON.stringify({ accessToken: "xet-jwt", casUrl: `${hub.url}/xet`, exp: Date.now() / 1000 + 3600 }));
    } else if (url.startsWith("/xet/v2/reconstructions/")) reconstruction(hub, storage, request, response);
    else if (url.startsWith("/xet/block")) void serveBlock(storage, request, response);
    else return false;
    return true;
  };
  return storage;
}

function info(hub: HubServer, response: ServerResponse): void {
  const link = (path: string, rel: string) => `<${hub.url}/xet/${path}>; rel="${rel}"`;
  response.writeHead(200, {
    "content-type": "application/vnd.xet-fileinfo+json",
    "x-linked-size": String(SIZE),
    "x-xet-hash": "f".repeat(64),
    etag: '"x"',
    link: [link("token", "xet-auth"), link("v1/reconstructions/f", "xet-reconstruction-info")].join(", "),
  });
  response.end("{}");
}

function reconstruction(hub: HubServer, storage: Storage, request: IncomingMessage, response: ServerResponse): void {
  storage.authorizations.add(`storage ${request.headers.authorization}`);
  const start = Number(/^bytes=(\d+)/.exec(request.headers.range ?? "")?.[1] ?? 0);
  storage.starts.push(start);
  const count = Math.ceil(SIZE / CHUNK);
  const first = Math.floor(start / CHUNK);
  const chunks = { start: first, end: count };
  const bytes = { start: first * (CHUNK + HEADER), end: SIZE + count * HEADER - 1 };
  response.end(
    JSON.stringify({
      offset_into_first_range: start - first * CHUNK,
      terms: [{ hash: "b", range: chunks, unpacked_length: SIZE - first * CHUNK }],
      xorbs: { b: [{ url: `${hub.url}/xet/block`, ranges: [{ chunks, bytes }] }] },
    }),
  );
}

async function serveBlock(storage: Storage, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, start = "0", end = "0"] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
  const content = block().subarray(Number(start), Number(end) + 1);
  if (storage.corrupt) content[HEADER] = (content[HEADER] ?? 0) ^ 1;
  const { stallAfter, slow } = storage;
  delete storage.stallAfter;
  response.writeHead(206, { "content-length": String(content.length) });
  for (let at = 0; at < Math.min(content.length, stallAfter ?? Infinity) && !response.destroyed; at += 100_000) {
    await new Promise((resolve) => response.write(content.subarray(at, at + 100_000), resolve));
    if (slow) await new Promise((resolve) => setTimeout(resolve, slow));
  }
  if (stallAfter === undefined) response.end();
}

describe("a file in Xet storage", () => {
  test("arrives whole, and the Hub's token goes to the Hub only", async () => {
    await using at = await stage();
    const storage = withXet(at.hub);
    const { path } = await at.resolve({ token: "hf_secret" });
    expect(await readFile(join(path, WEIGHTS))).toEqual(original);
    expect([...storage.authorizations]).toEqual(["hub Bearer hf_secret", "storage Bearer xet-jwt"]);
  });

  test("goes on from where an earlier call stopped", async () => {
    await using at = await stage();
    at.hub.faults.interrupt = { after: 1_000_000, how: "cut", times: 1 };
    await faultOf(at.resolve({ patience: { attempts: 1 } }));
    const storage = withXet(at.hub);
    expect(await readFile(join((await at.resolve()).path, WEIGHTS))).toEqual(original);
    expect(storage.starts).toEqual([1_000_000]);
  });

  test("is asked for again after a silence, which slow bytes are not", async () => {
    await using at = await stage();
    const storage = withXet(at.hub);
    Object.assign(storage, { stallAfter: 200_000, slow: 150 });
    const patience = { stall: 1_500, backoff: 5, attempts: 2 };
    expect(await readFile(join((await at.resolve({ patience })).path, WEIGHTS))).toEqual(original);
    expect(storage.starts.length).toBe(2);
  });

  test("is checked against its hash as every other", async () => {
    await using at = await stage();
    withXet(at.hub).corrupt = true;
    expect((await faultOf(at.resolve())).code).toBe("checksum_mismatch");
  });

  test("can be given up on in the middle", async () => {
    await using at = await stage();
    Object.assign(withXet(at.hub), { stallAfter: 200_000 });
    expect((await faultOf(at.resolve({ signal: AbortSignal.timeout(150) }))).code).toBe("aborted");
  });
});
