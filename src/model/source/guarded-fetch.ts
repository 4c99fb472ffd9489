/**
 * The `fetch` that the Hub library is given: it keeps the token at home, notices silence, and does not mistake a whole file
 * for the rest of one.
 */
import type { Settings } from "./options.ts";

/** The server answered, with a refusal. */
export class HttpFault extends Error {
  readonly status: number;
  /** The Hub's own reason ("GatedRepo"), if it gave one. */
  readonly reason: string | null;
  /** Milliseconds the server asks to wait. */
  readonly retryAfter: number | null;

  constructor(url: string, { status, headers }: Response) {
    const reason = headers.get("x-error-code");
    super(`${new URL(url).host} answered ${status}${reason === null ? "" : ` (${reason})`}`);
    this.status = status;
    this.reason = reason;
    this.retryAfter = waitAsked(headers);
  }
}

/** The server did not answer in time. */
export class NoAnswer extends Error {}

/** Part of a file was asked for and something else came. */
export class RangeIgnored extends Error {}

export interface Guard extends Disposable {
  readonly fetch: typeof fetch;
  /** What the last request failed of, if it did; the library passes some failures on as bare strings. */
  readonly fault: () => unknown;
  /** When bytes last came from any server, in milliseconds since 1970. */
  readonly activity: () => number;
}

export interface GuardOptions {
  /**
   * "question": a refusal is a fault. "bytes": so is anything but the range that was asked for. "xet": the protocol reads
   * refusals and ranges by itself, and gathers up to 64 MB before it hands anything on, so its bytes are watched here.
   */
  readonly reads: "question" | "bytes" | "xet";
  /** Milliseconds until a server must have begun to answer. */
  readonly answer: number;
  /** Milliseconds for all requests together, bodies included. */
  readonly within?: number;
}

/** Disposing it ends what is still under way. */
export function guard({ hubUrl, token, signal }: Settings, { reads, answer, within }: GuardOptions): Guard {
  const own = new AbortController();
  const limit = within === undefined ? null : AbortSignal.timeout(within);
  const ended = AbortSignal.any([own.signal, signal, limit].filter((end) => end !== null));
  let fault: unknown;
  let activity = Date.now();

  const request = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = input instanceof Request ? input.url : String(input);
    const headers = new Headers(init.headers);
    const ours = headers.get("authorization") === `Bearer ${token}`;
    if (ours && new URL(url).origin !== new URL(hubUrl).origin) headers.delete("authorization");
    const silence = new NoAnswer(`${new URL(url).host} did not answer within ${answer} ms`);
    const late = setTimeout(() => own.abort(silence), answer);
    fault = undefined;
    try {
      const response = await fetch(input, { ...init, headers, signal: ended });
      activity = Date.now();
      if (reads === "xet") return watched(response, () => (activity = Date.now()));
      checkStatus(url, response);
      if (reads === "bytes") checkRange(url, headers.get("range"), response);
      return response;
    } catch (thrown) {
      fault = own.signal.aborted ? own.signal.reason : thrown;
      throw fault;
    } finally {
      clearTimeout(late);
    }
  };

  return {
    // Bun's type of fetch has this second method.
    fetch: Object.assign(request, { preconnect: () => {} }),
    fault: () => fault,
    activity: () => activity,
    [Symbol.dispose]: () => own.abort(new Error("no longer needed")),
  };
}

/** The same response, with a look at each piece of its body. */
function watched(response: Response, onBytes: () => void): Response {
  const watch = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, stream) {
      onBytes();
      stream.enqueue(bytes);
    },
  });
  return response.body === null ? response : new Response(response.body.pipeThrough(watch), response);
}

function checkStatus(url: string, response: Response): void {
  const missing = response.status === 404 && response.headers.get("x-error-code") === "EntryNotFound";
  if (!response.ok && !missing) throw new HttpFault(url, response);
}

function checkRange(url: string, asked: string | null, { status, headers }: Response): void {
  const start = /^bytes=(\d+)-/.exec(asked ?? "")?.[1];
  const given = /^bytes (\d+)-/.exec(headers.get("content-range") ?? "")?.[1];
  if (start === undefined || (status === 206 && given === start)) return;
  throw new RangeIgnored(`${new URL(url).host} does not serve parts of files`);
}

/** Retry-After is a number of seconds or a date. */
function waitAsked(headers: Headers): number | null {
  const text = headers.get("retry-after");
  if (text === null) return null;
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}
