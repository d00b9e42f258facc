/**
 * A headless Chromium, driven by the DevTools protocol. Without one, tests of pages are skipped with
 * a message.
 */

import { BrowserProcess, findBrowser } from "./browser_process.ts";
import { until } from "./until.ts";

/** Names of the program of Chromium; `$BTRDB_CHROMIUM` comes first. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Path of a Chromium, or undefined after a message that says what is skipped. */
export function findChromium(what: string): string | undefined {
  return findBrowser("Chromium", NAMES, "BTRDB_CHROMIUM", what);
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
  readonly #process: BrowserProcess<Message>;
  readonly #pages: Map<string, Page>;

  private constructor(process: BrowserProcess<Message>, pages: Map<string, Page>) {
    this.#process = process;
    this.#pages = pages;
  }

  /** Starts a browser. */
  static async start(path: string): Promise<Chromium> {
    const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
    flags.push("--remote-debugging-port=0");
    const pages = new Map<string, Page>();
    const process = await BrowserProcess.start<Message>(
      path,
      (folder) => ({ args: [...flags, `--user-data-dir=${folder}`, "about:blank"] }),
      /DevTools listening on (ws:\S+)\n/,
      ({ sessionId, method, params }) => pages.get(sessionId ?? "")?.heard(method!, params ?? {}),
    );
    return new Chromium(process, pages);
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
    const message = await this.#process.send(method, { params, sessionId });
    if (message.error !== undefined) throw new Error(`${method}: ${message.error.message}`);
    return message.result ?? {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.close("Browser.close");
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
    await until(
      () => `${expression}\n${this.problems.join("\n")}`,
      () => this.value<boolean>(`Boolean(${expression})`),
    );
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
