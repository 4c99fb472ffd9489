import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { resolveModel } from "../../src/model/source/index.ts";
import { faultOf, PATIENCE, SIZE, stage, temporaryFolder, WEIGHTS } from "./helpers.ts";

setDefaultTimeout(30_000);

describe("a Hub that refuses", () => {
  test.each([
    [401, "access_denied", "HF_TOKEN"],
    [403, "access_denied", "HF_TOKEN"],
    [404, "model_not_found", "owner/model"],
  ] as const)("with %i is told as %s, at once", async (status, code, said) => {
    for (const at of ["api", "files"] as const) {
      await using here = await stage();
      here.hub.faults.refuse = { at, status, times: 99 };
      const fault = await faultOf(here.resolve());
      expect(fault.code).toBe(code);
      expect(fault.message).toContain(said);
      expect(here.hub.requests.filter(({ url }) => url.startsWith("/api/") === (at === "api"))).toHaveLength(1);
    }
  });

  test("a model or a revision that does not exist is told from one that may not be read", async () => {
    await using at = await stage();
    expect((await faultOf(at.resolve({}, "owner/other"))).message).toContain("RepoNotFound");
    const fault = await faultOf(at.resolve({ revision: "nowhere" }));
    expect(fault.code).toBe("model_not_found");
    expect(fault.message).toContain("owner/model@nowhere");
  });

  test.each(["api", "files"] as const)("for a moment (429, 503) is asked again (%s)", async (where) => {
    for (const status of [429, 503]) {
      await using at = await stage();
      at.hub.faults.refuse = { at: where, status, times: 2 };
      expect((await at.resolve()).origin).toBe("hub");
    }
  });

  test("is given the time it asks for, up to a limit", async () => {
    await using at = await stage();
    at.hub.faults.refuse = { at: "files", status: 429, times: 1, headers: { "retry-after": "3600" } };
    const began = performance.now();
    await at.resolve();
    expect(performance.now() - began).toBeGreaterThan(PATIENCE.retryAfter - 20);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  test("for good is given up on: the questions as unreachable, the files as failed", async () => {
    await using at = await stage();
    at.hub.faults.refuse = { at: "api", status: 503, times: 99 };
    expect((await faultOf(at.resolve())).code).toBe("model_unreachable");
    expect(at.hub.requests).toHaveLength(PATIENCE.attempts);
    at.hub.faults.refuse = { at: "files", status: 500, times: 99 };
    const fault = await faultOf(at.resolve());
    expect(fault.code).toBe("download_failed");
    expect(fault.message).toContain("500");
  });
});

describe("a Hub that cannot be reached", () => {
  test.each([
    ["does not exist", "http://hub.invalid"],
    ["refuses connections", "http://127.0.0.1:9"],
  ])("because it %s is noticed at once", async (_why, hubUrl) => {
    await using cache = await temporaryFolder();
    const began = performance.now();
    const fault = await faultOf(resolveModel("owner/model", { hubUrl, cacheDir: cache.path }));
    expect(fault.code).toBe("model_unreachable");
    expect(fault.message).toContain(hubUrl);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test("because it never answers is noticed within 5 seconds, without any option", async () => {
    await using at = await stage();
    at.hub.faults.silent = true;
    const began = performance.now();
    const fault = await faultOf(at.resolve({ patience: {} }));
    expect(fault.code).toBe("model_unreachable");
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test("does not matter for a branch that is cached", async () => {
    await using at = await stage();
    const { path } = await at.resolve();
    expect(await at.resolve({ hubUrl: "http://127.0.0.1:9" })).toMatchObject({ path, origin: "cache" });
  });

  test("can be given up on by the caller", async () => {
    await using at = await stage();
    at.hub.faults.silent = true;
    const signal = AbortSignal.timeout(50);
    expect((await faultOf(at.resolve({ signal }))).code).toBe("aborted");
  });
});

describe("the token", () => {
  test("goes to the Hub and never to the other origin that has the bytes", async () => {
    await using at = await stage();
    await at.resolve({ token: "hf_secret" });
    const [hub, cdn] = [
      at.hub.requests.filter(({ origin }) => origin === "hub"),
      at.hub.requests.filter(({ origin }) => origin === "cdn"),
    ];
    expect(hub.every(({ authorization }) => authorization === "Bearer hf_secret")).toBe(true);
    expect(cdn.length).toBeGreaterThan(0);
    expect(cdn.every(({ authorization }) => authorization === null)).toBe(true);
    expect(at.hub.sent(WEIGHTS)).toBe(SIZE);
  });

  test("is not sent along when a listing goes on at another origin", async () => {
    await using at = await stage();
    await using elsewhere = await stage();
    at.hub.route = ({ url }, response) => {
      if (!url?.includes("/tree/")) return false;
      const next = `<${elsewhere.hub.url}/api/models/owner/model/tree/main>; rel="next"`;
      response.writeHead(200, { "content-type": "application/json", link: next }).end("[]");
      return true;
    };
    await faultOf(at.resolve({ token: "hf_secret", revision: "main" })).catch(() => {});
    const listing = elsewhere.hub.requests.filter(({ url }) => url.includes("/tree/"));
    expect(listing).toHaveLength(1);
    expect(listing[0]?.authorization).toBeNull();
  });
});
