/** The bytes of one file on the Hub, through its own library, wherever they are stored. */
import {
  downloadFile,
  type FileDownloadInfoOutput,
  fileDownloadInfo,
  InvalidApiResponseFormatError,
} from "@huggingface/hub";
import { KvError } from "../../error.ts";
import { guard } from "./guarded-fetch.ts";
import { type Access, access, type HubModel } from "./hub-model.ts";
import type { RemoteFile } from "./listing.ts";
import type { Settings } from "./options.ts";

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
  const request = { repo, revision, path, ...access(settings) };
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
