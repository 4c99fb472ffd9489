/**
 * As much of the DevTools protocol as a test needs: commands with their results, and events.
 *
 * @see https://chromedevtools.github.io/devtools-protocol/
 */
type Fields = Readonly<Record<string, unknown>>;

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Fields;
  readonly result?: Fields;
  readonly error?: { readonly message: string };
}

export interface Connection extends Disposable {
  /** @throws Error with what the browser found wrong */
  send(method: string, params?: Fields, sessionId?: string): Promise<Fields>;
  /** Called with every event of the session. */
  listen(sessionId: string, hear: (method: string, params: Fields) => void): void;
}

export interface Tab {
  /** Opens a page and waits until it is loaded. */
  open(url: URL): Promise<void>;
  /** The value of an expression on the page, promises awaited. @throws Error with what the page threw */
  evaluate(expression: string): Promise<unknown>;
  /** Sends a command about this tab. */
  send(method: string, params?: Fields): Promise<Fields>;
  /** What the page said on its console as an error or a warning, and what it threw and nobody caught. */
  readonly complaints: readonly string[];
}

export async function connect(url: string): Promise<Connection> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Map<string, (method: string, params: Fields) => void>();
  let last = 0;
  socket.onmessage = ({ data }) => {
    const message: Message = JSON.parse(String(data));
    const { id, sessionId = "", method = "", params = {} } = message;
    if (id === undefined) return listeners.get(sessionId)?.(method, params);
    waiting.get(id)?.(message);
    waiting.delete(id);
  };
  return {
    send(method, params = {}, sessionId) {
      const id = ++last;
      socket.send(JSON.stringify({ id, method, params, sessionId }));
      return new Promise((resolve, reject) => {
        waiting.set(id, ({ result = {}, error }) => {
          if (error === undefined) resolve(result);
          else reject(new Error(`${method}: ${error.message}`));
        });
      });
    },
    listen: (sessionId, hear) => void listeners.set(sessionId, hear),
    [Symbol.dispose]: () => socket.close(),
  };
}

export async function openTab(connection: Connection): Promise<Tab> {
  const { targetId } = await connection.send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await connection.send("Target.attachToTarget", { targetId, flatten: true });
  const session = String(sessionId);
  const send = (method: string, params?: Fields) => connection.send(method, params, session);
  const complaints: string[] = [];
  let loaded = Promise.withResolvers<void>();
  connection.listen(session, (method, params) => {
    if (method === "Page.loadEventFired") loaded.resolve();
    const isError = method === "Log.entryAdded" && /error|warning/.test(String(at(params, "entry", "level")));
    const isSaid = method === "Runtime.consoleAPICalled" && /error|warning/.test(String(params.type));
    if (isError || isSaid || method === "Runtime.exceptionThrown") complaints.push(JSON.stringify(params));
  });
  for (const domain of ["Page", "Runtime", "Log"]) await send(`${domain}.enable`);
  return {
    complaints,
    send,
    async open(url) {
      loaded = Promise.withResolvers();
      await send("Page.navigate", { url: String(url) });
      await loaded.promise;
    },
    async evaluate(expression) {
      const answer = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
      const thrown = answer.exceptionDetails;
      if (thrown !== undefined) throw new Error(`${expression}: ${JSON.stringify(thrown)}`);
      return at(answer, "result", "value");
    },
  };
}

/** What lies at a path of an answer; undefined where there is none. */
export const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner instanceof Object ? Reflect.get(inner, key) : undefined), value);
