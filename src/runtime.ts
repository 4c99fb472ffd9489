/** What runs this program: Bun, Deno or Node, or else a browser. */
const versions: Readonly<Record<string, string | undefined>> = typeof process === "undefined" ? {} : process.versions;
const name = ["bun", "deno", "node"].find((each) => versions[each] !== undefined) ?? "browser";

export const runtime = { name, version: versions[name] ?? navigator.userAgent };

/** Timers, input and whoever waits have their turn before it resolves. */
export const turn = (): Promise<void> =>
  new Promise((resolve) => {
    if (runtime.name !== "browser") return void setImmediate(resolve);
    // A browser's timers take 4 ms at least, which decoding would feel.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
