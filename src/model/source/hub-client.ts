/** What is asked of the Hub before any file: which commit, and which files it has. Through its own library. */
import { datasetInfo, listFiles, modelInfo } from "@huggingface/hub";
import { KvError } from "../../error.ts";
import { throwIfAborted } from "./faults.ts";
import { type Guard, guard, HttpFault } from "./guarded-fetch.ts";
import { access, type HubModel, hubError, repoOf } from "./hub-model.ts";
import { type RemoteFile, remoteFile } from "./listing.ts";
import type { Settings } from "./options.ts";
import { isTransient, pause } from "./retry.ts";
import { isCommit } from "./safe-name.ts";

/** More than any model repository has; a listing without end is not followed. */
const LISTING_LIMIT = 20_000;

/** The commit a revision stands for now. @throws KvError `model_unreachable`, `model_not_found`, `access_denied`, `aborted` */
export async function commitOf(model: HubModel, settings: Settings): Promise<string> {
  const { id, revision } = model;
  const { type, name } = repoOf(id);
  const info = type === "dataset" ? datasetInfo<"sha"> : modelInfo<"sha">;
  const { sha } = await ask(model, settings, ({ fetch }) =>
    info({ name, revision, additionalFields: ["sha"], ...access(settings), fetch }),
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
    for await (const entry of listFiles({ repo, revision, recursive: true, ...access(settings), fetch })) {
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
      throwIfAborted(signal, model.id);
      const last = failures >= patience.attempts || !(thrown instanceof HttpFault) || !isTransient(thrown);
      if (last) throw hubError(thrown, model, settings);
      await pause(failures, thrown, patience, signal);
    }
  }
}
