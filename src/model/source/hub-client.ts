/** The three questions asked of the Hub, through its own library: which commit, which files, and the bytes of one. */
import {
  downloadFile,
  type FileDownloadInfoOutput,
  fileDownloadInfo,
  InvalidApiResponseFormatError,
  listFiles,
  modelInfo,
} from "@huggingface/hub";
import { KvError } from "../../error.ts";
import { aborted, reason, throwIfAborted } from "./faults.ts";
import { type Guard, guard, HttpFault } from "./guarded-fetch.ts";
import { type RemoteFile, remoteFile } from "./listing.ts";
import type { Settings } from "./options.ts";
import { isTransient, pause } from "./retry.ts";
import { isCommit } from "./safe-name.ts";

export interface HubModel {
  /** "owner/name". */
  readonly id: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** More than any model repository has; a listing without end is not followed. */
const LISTING_LIMIT = 20_000;

/** The commit a revision stands for now. @throws KvError `model_unreachable`, `model_not_found`, `access_denied`, `aborted` */
export async function commitOf(model: HubModel, settings: Settings): Promise<string> {
  const { id, revision } = model;
  const { sha } = await ask(model, settings, ({ fetch }) =>
    modelInfo({ name: id, revision, additionalFields: ["sha"], ...shared(settings), fetch }),
  );
  if (isCommit(sha) && (!isCommit(revision) || sha === revision)) return sha;
  const allowed = isCommit(revision) ? `the commit ${revision}` : "a commit (40 hex digits)";
  throw new KvError({ code: "download_failed", path: [id, revision], found: sha, allowed });
}

/** Every file of a commit. @throws as `commitOf`, and `unsafe_path`, `download_failed` */
export async function filesOf(model: HubModel, settings: Settings): Promise<readonly RemoteFile[]> {
  return await ask(model, settings, async ({ fetch }) => {
    const files: RemoteFile[] = [];
    let seen = 0;
    const { id: repo, revision } = model;
    for await (const entry of listFiles({ repo, revision, recursive: true, ...shared(settings), fetch })) {
      const file = remoteFile(entry, repo);
      if (file !== null) files.push(file);
      if (++seen > LISTING_LIMIT) {
        throw new KvError({
          code: "download_failed",
          path: [repo, "listing"],
          found: `over ${seen} entries`,
          allowed: "shorter",
        });
      }
    }
    return files;
  });
}

export interface OpenFile extends Disposable {
  readonly stream: ReadableStream<Uint8Array>;
  /** What really stopped the stream, where the library tells it as a bare string. */
  readonly fault: () => unknown;
  readonly activity: () => number;
}

/** The bytes of a file from `start` on. Failures are raw (see retry.ts): the caller knows whether to go on. */
export async function openFile(
  model: HubModel,
  file: RemoteFile,
  start: number,
  settings: Settings,
): Promise<OpenFile> {
  const { id: repo, revision } = model;
  const { stall } = settings.patience;
  // The library puts the path into the address as it is.
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  const request = { repo, revision, path, ...shared(settings) };
  const info = await fileInfo(request, file, settings);
  const bytes = guard(settings, { reads: info?.xet === undefined ? "bytes" : "xet", answer: stall });
  const blob = info && (await downloadFile({ ...request, downloadInfo: info, fetch: bytes.fetch }));
  if (blob === null) {
    const allowed = "there, as the listing says";
    throw new KvError({ code: "download_failed", path: [repo, file.path], found: "not served", allowed });
  }
  return { ...bytes, stream: blob.slice(start).stream() };
}

interface FileRequest extends Access {
  readonly repo: string;
  readonly revision: string;
  readonly path: string;
}

async function fileInfo(
  request: FileRequest,
  file: RemoteFile,
  settings: Settings,
): Promise<FileDownloadInfoOutput | null> {
  const { stall } = settings.patience;
  using asking = guard(settings, { reads: "question", answer: stall, within: 2 * stall });
  try {
    const info = await fileDownloadInfo({ ...request, fetch: asking.fetch });
    if (info !== null && info.size !== file.size) throw wrongSize(request.repo, file.path, info.size, file.size);
    return info;
  } catch (thrown) {
    if (!(thrown instanceof InvalidApiResponseFormatError)) throw thrown;
    // A server without ranges tells no size here; the listing did.
    const url = `${settings.hubUrl}/${request.repo}/resolve/${request.revision}/${request.path}`;
    return { size: file.size, etag: file.hash, url };
  }
}

function wrongSize(repo: string, path: string, found: number, size: number): KvError {
  return new KvError({
    code: "download_failed",
    path: [repo, path, "size"],
    found,
    allowed: `${size} bytes, as the listing says`,
  });
}

interface Access {
  readonly hubUrl: string;
  readonly accessToken?: string;
}

const shared = ({ hubUrl, token }: Settings): Access => ({ hubUrl, ...(token !== null && { accessToken: token }) });

/** A small question: refusals that pass are asked again, silence is not (the caller may have another source). */
async function ask<T>(model: HubModel, settings: Settings, question: (guard: Guard) => Promise<T>): Promise<T> {
  const { patience, signal } = settings;
  for (let failures = 1; ; failures++) {
    throwIfAborted(signal, model.id);
    using attempt = guard(settings, {
      reads: "question",
      answer: patience.connect,
      within: patience.connect + patience.stall,
    });
    try {
      return await question(attempt);
    } catch (thrown) {
      if (signal?.aborted) throw aborted(signal, model.id);
      const last = failures >= patience.attempts || !(thrown instanceof HttpFault) || !isTransient(thrown);
      if (last) throw hubError(thrown, model, settings);
      await pause(failures, thrown, patience, signal);
    }
  }
}

/** What a failed request means to the caller. */
export function hubError(thrown: unknown, { id, revision }: HubModel, { hubUrl, token }: Settings): unknown {
  if (thrown instanceof KvError) return thrown;
  const status = thrown instanceof HttpFault ? thrown.status : null;
  const base = { path: ["model"], found: `${id}@${revision}`, cause: thrown };
  if (status === 401 || status === 403) {
    const hint = `${reason(thrown)}; ${token === null ? "set HF_TOKEN (or the option token) if it is private or gated" : "the HF_TOKEN in use has no access"}`;
    return new KvError({ ...base, code: "access_denied", allowed: "a model that exists and may be read", hint });
  }
  if (status === 404) {
    return new KvError({
      ...base,
      code: "model_not_found",
      allowed: `a model and revision on ${hubUrl}`,
      hint: reason(thrown),
    });
  }
  return new KvError({
    ...base,
    code: "model_unreachable",
    allowed: "reachable",
    hint: `${hubUrl}: ${reason(thrown)}`,
  });
}
