/**
 * A headless Chromium, driven by the DevTools protocol. Without one, tests of pages are skipped with
 * a message.
 */

import { HANG_MS } from "./until.ts";

/** Names of the program of Chromium; `$BTRDB_CHROMIUM` comes first. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Path of a Chromium, or undefined after a message that says what is skipped. */
export function findChromium(what: string): string | undefined {
  const named = Deno.env.get("BTRDB_CHROMIUM");
  for (const name of named === undefined ? NAMES : [named]) {
    try {
      if (new Deno.Command(name, { args: ["--version"] }).outputSync().success) return name;
    } catch {
      // The next one.
    }
  }
  console.warn(`skipped, no Chromium: ${what}`);
  return undefined;
}

interface Message {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
  sessionId?: string;
}

/** A browser with a profile of its own. */
export class Chromium implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #socket: WebSocket;
  readonly #folder: string;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #pages = new Map<string, Page>();
  readonly #stderr: Promise<void>;
  readonly #killOnExit = () => this.#kill();
  #next = 1;

  private constructor(
    process: Deno.ChildProcess,
    socket: WebSocket,
    folder: string,
    stderr: Promise<void>,
  ) {
    this.#process = process;
    this.#socket = socket;
    this.#folder = folder;
    this.#stderr = stderr;
    socket.onmessage = ({ data }) => this.#received(JSON.parse(data));
    // A test process that ends would leave the browser behind.
    globalThis.addEventListener("unload", this.#killOnExit);
  }

  /** Starts a browser. */
  static async start(path: string): Promise<Chromium> {
    const folder = await Deno.makeTempDir();
    const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
    args.push("--remote-debugging-port=0", `--user-data-dir=${folder}`, "about:blank");
    const process = new Deno.Command(path, { args, stdout: "null", stderr: "piped" }).spawn();
    const [url, rest] = await debuggerOf(process);
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new Chromium(process, socket, folder, rest);
  }

  /** Opens an empty page. */
  async page(): Promise<Page> {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const attach = { targetId, flatten: true };
    const { sessionId } = await this.send("Target.attachToTarget", attach);
    const page = new Page(this, sessionId as string, targetId as string);
    this.#pages.set(sessionId as string, page);
    for (const domain of ["Page", "Runtime", "Log"]) await page.send(`${domain}.enable`);
    return page;
  }

  /** Sends a command; resolves to its result. */
  async send(
    method: string,
    params: Record<string, unknown>,
    sessionId?: string,
  ): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const message = await new Promise<Message>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method} takes too long`)), HANG_MS);
      this.#answers.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
    if (message.error !== undefined) throw new Error(`${method}: ${message.error.message}`);
    return message.result ?? {};
  }

  #received(message: Message): void {
    if (message.id !== undefined) {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
    } else if (message.sessionId !== undefined) {
      this.#pages.get(message.sessionId)?.heard(message.method!, message.params ?? {});
    }
  }

  #kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It is gone already.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    globalThis.removeEventListener("unload", this.#killOnExit);
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    await this.send("Browser.close", {}).catch(() => {});
    const timer = setTimeout(() => this.#kill(), 10_000);
    await this.#process.status;
    clearTimeout(timer);
    await Promise.all([this.#stderr, closed]);
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
  }
}

/** The address of the DevTools in what a browser prints, and the end of all it prints. */
async function debuggerOf(process: Deno.ChildProcess): Promise<[string, Promise<void>]> {
  const reader = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (true) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Chromium did not start: ${text}`);
    text += value;
    const url = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
    if (url === undefined) continue;
    const rest = (async () => {
      while (!(await reader.read()).done);
    })();
    return [url, rest];
  }
}

/** A page. */
export class Page {
  readonly #browser: Chromium;
  readonly #session: string;
  readonly #target: string;
  /** Errors on the console, exceptions, and violations of the page's policy. */
  readonly problems: string[] = [];
  /** Lines that the page wrote to the console. */
  readonly lines: string[] = [];
  readonly #listeners = new Map<string, Set<(params: Record<string, unknown>) => void>>();
  #onLoad: (() => void) | undefined;

  constructor(browser: Chromium, session: string, target: string) {
    this.#browser = browser;
    this.#session = session;
    this.#target = target;
  }

  /** Sends a command of the page's. */
  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    return this.#browser.send(method, params, this.#session);
  }

  /** Listens to an event of the protocol; the function that comes back ends that. */
  on(method: string, listener: (params: Record<string, unknown>) => void): () => void {
    const listeners = this.#listeners.get(method) ?? new Set();
    this.#listeners.set(method, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Goes to an address; resolves once it is loaded. */
  async open(url: string): Promise<void> {
    const loaded = new Promise<void>((resolve) => this.#onLoad = resolve);
    const { errorText } = await this.send("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
    await loaded;
  }

  /** The value of an expression, awaited. */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    }) as { result: { value: T }; exceptionDetails?: { exception?: { description?: string } } };
    if (exceptionDetails !== undefined) {
      throw new Error(exceptionDetails.exception?.description ?? "an exception in the page");
    }
    return result.value;
  }

  /** Waits until an expression is true. */
  async until(expression: string): Promise<void> {
    const endMs = Date.now() + HANG_MS;
    while (!await this.value<boolean>(`Boolean(${expression})`)) {
      if (Date.now() > endMs) {
        throw new Error(`never true: ${expression}\n${this.problems.join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** A picture of what is seen, PNG. */
  async screenshot(): Promise<Uint8Array<ArrayBuffer>> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Uint8Array.from(atob(data as string), (character) => character.charCodeAt(0));
  }

  /** Closes it, as a person does. */
  async close(): Promise<void> {
    await this.#browser.send("Target.closeTarget", { targetId: this.#target });
  }

  /** Takes what the browser tells of the page. */
  heard(method: string, params: Record<string, unknown>): void {
    for (const listener of this.#listeners.get(method) ?? []) listener(params);
    if (method === "Page.loadEventFired") this.#onLoad?.();
    if (method === "Runtime.exceptionThrown") this.problems.push(textOf(params.exceptionDetails));
    if (method === "Log.entryAdded") {
      const { level, text, url } = params.entry as { level: string; text: string; url?: string };
      if (level === "error") this.problems.push(`${text} ${url ?? ""}`);
    }
    if (method === "Runtime.consoleAPICalled") {
      const { type, args } = params as { type: string; args: { value?: unknown }[] };
      const line = args.map(({ value }) => String(value)).join(" ");
      if (type === "error") this.problems.push(line);
      else this.lines.push(line);
    }
  }
}

function textOf(details: unknown): string {
  const { text, exception } = details as { text: string; exception?: { description?: string } };
  return exception?.description ?? text;
}
