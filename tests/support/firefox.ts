/**
 * A headless Firefox, driven by WebDriver BiDi. Without one, tests of pages are skipped with a
 * message.
 */

import { BrowserProcess, findBrowser } from "./browser_process.ts";
import { until } from "./until.ts";

/** Names of the program of Firefox; `$BTRDB_FIREFOX` comes first. */
const NAMES = ["firefox-esr", "firefox"];

/** Path of a Firefox, or undefined after a message that says what is skipped. */
export function findFirefox(what: string): string | undefined {
  return findBrowser("Firefox", NAMES, "BTRDB_FIREFOX", what);
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
  readonly #process: BrowserProcess<Message>;
  readonly #pages: Map<string, FirefoxPage>;

  private constructor(process: BrowserProcess<Message>, pages: Map<string, FirefoxPage>) {
    this.#process = process;
    this.#pages = pages;
  }

  /** Starts a browser. */
  static async start(path: string): Promise<Firefox> {
    const flags = ["--headless", "--no-remote", "--remote-debugging-port=0"];
    const pages = new Map<string, FirefoxPage>();
    const process = await BrowserProcess.start<Message>(
      path,
      (folder) => ({
        args: [...flags, "--profile", folder, "about:blank"],
        env: { HOME: folder, MOZ_CRASHREPORTER_DISABLE: "1" },
      }),
      /WebDriver BiDi listening on (ws:\S+)\n/,
      ({ method, params }) => {
        if (method !== "log.entryAdded") return;
        const entry = params as unknown as LogEntry;
        pages.get(entry.source.context ?? "")?.heard(entry);
      },
      "/session",
    );
    const browser = new Firefox(process, pages);
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
    const message = await this.#process.send(method, { params });
    if (message.type === "error") throw new Error(`${method}: ${message.message}`);
    return message.result ?? {};
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.close("browser.close");
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
    await until(
      () => `${expression}\n${this.problems.join("\n")}`,
      () => this.#isTrue(expression),
    );
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
