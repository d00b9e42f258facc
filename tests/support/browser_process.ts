/** The process of a browser with a profile of its own, and the socket that drives it. */

import { HANG_MS } from "./until.ts";

/**
 * Path of a browser, or undefined after a message that says what is skipped.
 *
 * @param browser Its name for people.
 * @param names Its programs.
 * @param variable Variable of the environment that comes first.
 * @param what Names the tests.
 */
export function findBrowser(
  browser: string,
  names: readonly string[],
  variable: string,
  what: string,
): string | undefined {
  const named = Deno.env.get(variable);
  for (const name of named === undefined ? names : [named]) {
    try {
      if (new Deno.Command(name, { args: ["--version"] }).outputSync().success) return name;
    } catch {
      // The next one.
    }
  }
  console.warn(`skipped, no ${browser}: ${what}`);
  return undefined;
}

/** A message of a browser: an answer has an id. */
interface Answer {
  id?: number;
}

/** A browser that runs. */
export class BrowserProcess<Message extends Answer> {
  readonly #process: Deno.ChildProcess;
  readonly #socket: WebSocket;
  readonly #folder: string;
  readonly #stderr: Promise<void>;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #killOnExit = () => this.#kill();
  #next = 1;

  private constructor(
    process: Deno.ChildProcess,
    socket: WebSocket,
    folder: string,
    stderr: Promise<void>,
    onEvent: (message: Message) => void,
  ) {
    this.#process = process;
    this.#socket = socket;
    this.#folder = folder;
    this.#stderr = stderr;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data) as Message;
      if (message.id === undefined) return onEvent(message);
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
    };
    // A test process that ends would leave the browser behind.
    globalThis.addEventListener("unload", this.#killOnExit);
  }

  /**
   * Starts a browser.
   *
   * @param path Its program.
   * @param command Arguments and environment for a profile in a folder.
   * @param address Finds the address of the socket in what it prints; its first group.
   * @param onEvent Takes every message that is no answer.
   * @param suffix Path of the socket, behind the address.
   */
  static async start<Message extends Answer>(
    path: string,
    command: (folder: string) => { args: string[]; env?: Record<string, string> },
    address: RegExp,
    onEvent: (message: Message) => void,
    suffix = "",
  ): Promise<BrowserProcess<Message>> {
    const folder = await Deno.makeTempDir();
    const options = { ...command(folder), stdout: "null", stderr: "piped" } as const;
    const process = new Deno.Command(path, options).spawn();
    const [url, stderr] = await printed(process, path, address);
    const socket = new WebSocket(url + suffix);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new BrowserProcess(process, socket, folder, stderr, onEvent);
  }

  /** Sends a command; resolves to the answer. */
  async send(method: string, rest: Record<string, unknown>): Promise<Message> {
    const id = this.#next++;
    return await new Promise<Message>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method} takes too long`)), HANG_MS);
      this.#answers.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
      this.#socket.send(JSON.stringify({ id, method, ...rest }));
    });
  }

  /** Ends it with the command that closes it; resolves once all it left is gone. */
  async close(method: string): Promise<void> {
    globalThis.removeEventListener("unload", this.#killOnExit);
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    await this.send(method, { params: {} }).catch(() => {});
    const timer = setTimeout(() => this.#kill(), HANG_MS);
    await this.#process.status;
    clearTimeout(timer);
    await Promise.all([this.#stderr, closed]);
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
  }

  #kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It is gone already.
    }
  }
}

/** The address in what a browser prints, and the end of all it prints. */
async function printed(
  process: Deno.ChildProcess,
  path: string,
  address: RegExp,
): Promise<[string, Promise<void>]> {
  const reader = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (true) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${path} did not start: ${text}`);
    text += value;
    const url = address.exec(text)?.[1];
    if (url === undefined) continue;
    const rest = (async () => {
      while (!(await reader.read()).done);
    })();
    return [url, rest];
  }
}
