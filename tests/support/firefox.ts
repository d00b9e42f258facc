/**
 * A headless Firefox, driven by WebDriver BiDi. Without one, tests of pages are skipped with a
 * message.
 */

import { HANG_MS } from "./until.ts";

/** Names of the program of Firefox; `$BTRDB_FIREFOX` comes first. */
const NAMES = ["firefox-esr", "firefox"];

/** Path of a Firefox, or undefined after a message that says what is skipped. */
export function findFirefox(what: string): string | undefined {
  const named = Deno.env.get("BTRDB_FIREFOX");
  for (const name of named === undefined ? NAMES : [named]) {
    try {
      if (new Deno.Command(name, { args: ["--version"] }).outputSync().success) return name;
    } catch {
      // The next one.
    }
  }
  console.warn(`skipped, no Firefox: ${what}`);
  return undefined;
}

interface Message {
  id?: number;
  type: "success" | "error" | "event";
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  message?: string;
}

/** An entry of a page's log. */
interface LogEntry {
  level: string;
  text: string;
  source: { context?: string };
}

/** A browser with a profile of its own. */
export class Firefox implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #socket: WebSocket;
  readonly #folder: string;
  readonly #stderr: Promise<void>;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #pages = new Map<string, FirefoxPage>();
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
  static async start(path: string): Promise<Firefox> {
    const folder = await Deno.makeTempDir();
    const args = ["--headless", "--no-remote", "--profile", folder, "--remote-debugging-port=0"];
    const env = { HOME: folder, MOZ_CRASHREPORTER_DISABLE: "1" };
    const process = new Deno.Command(path, {
      args: [...args, "about:blank"],
      env,
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const [url, rest] = await remoteOf(process);
    const socket = new WebSocket(`${url}/session`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const browser = new Firefox(process, socket, folder, rest);
    await browser.send("session.new", { capabilities: {} });
    await browser.send("session.subscribe", { events: ["log.entryAdded"] });
    return browser;
  }

  /** Opens an empty page. */
  async page(): Promise<FirefoxPage> {
    const { context } = await this.send("browsingContext.create", { type: "tab" });
    const page = new FirefoxPage(this, context as string);
    this.#pages.set(context as string, page);
    return page;
  }

  /** Sends a command; resolves to its result. */
  async send(method: string, params: Record<string, unknown>): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const message = await new Promise<Message>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method} takes too long`)), HANG_MS);
      this.#answers.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
    if (message.type === "error") throw new Error(`${method}: ${message.message}`);
    return message.result ?? {};
  }

  #received(message: Message): void {
    if (message.id !== undefined) {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
    } else if (message.method === "log.entryAdded") {
      const entry = message.params as unknown as LogEntry;
      this.#pages.get(entry.source.context ?? "")?.heard(entry);
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
    await this.send("browser.close", {}).catch(() => {});
    const timer = setTimeout(() => this.#kill(), 30_000);
    await this.#process.status;
    clearTimeout(timer);
    await Promise.all([this.#stderr, closed]);
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
  }
}

/** The address of WebDriver BiDi in what a browser prints, and the end of all it prints. */
async function remoteOf(process: Deno.ChildProcess): Promise<[string, Promise<void>]> {
  const reader = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (true) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Firefox did not start: ${text}`);
    text += value;
    const url = /WebDriver BiDi listening on (ws:\S+)\n/.exec(text)?.[1];
    if (url === undefined) continue;
    const rest = (async () => {
      while (!(await reader.read()).done);
    })();
    return [url, rest];
  }
}

/** A page. */
export class FirefoxPage {
  readonly #browser: Firefox;
  readonly #context: string;
  /** Errors on the console, and exceptions. */
  readonly problems: string[] = [];
  /** Lines that the page wrote to the console. */
  readonly lines: string[] = [];

  constructor(browser: Firefox, context: string) {
    this.#browser = browser;
    this.#context = context;
  }

  /** Goes to an address; resolves once it is loaded. */
  async open(url: string): Promise<void> {
    const context = this.#context;
    await this.#browser.send("browsingContext.navigate", { context, url, wait: "complete" });
  }

  /** Waits until an expression is true. */
  async until(expression: string): Promise<void> {
    const endMs = Date.now() + HANG_MS;
    while (!await this.#isTrue(expression)) {
      if (Date.now() > endMs) {
        throw new Error(`never true: ${expression}\n${this.problems.join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #isTrue(expression: string): Promise<boolean> {
    const { result, exceptionDetails } = await this.#browser.send("script.evaluate", {
      expression: `Boolean(${expression})`,
      target: { context: this.#context },
      awaitPromise: true,
    }) as { result: { value: boolean }; exceptionDetails?: { text: string } };
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
    return result.value;
  }

  /** Closes it, as a person does. */
  async close(): Promise<void> {
    await this.#browser.send("browsingContext.close", { context: this.#context });
  }

  /** Takes an entry of its log. */
  heard({ level, text }: LogEntry): void {
    if (level === "error") this.problems.push(text);
    else this.lines.push(text);
  }
}
