/**
 * Processes that work in a checkout, this one or another.
 *
 * @module
 */

import type { Case, Place } from "./cases.ts";

const WORKER = new URL("./worker.ts", import.meta.url).pathname;

/** Times that a slice of work took, ms. */
export interface Slice {
  readonly wallMs: number;
  /** CPU time of the process that does the work, which is the client of a server. */
  readonly cpuMs: number;
  /** CPU time of the server, if there is one. */
  readonly serverMs: number;
}

/** A process that answers lines. */
class Worker {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;

  constructor(checkout: string, target: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--quiet", "--no-check", "--no-lock"],
        ...["--config", `${checkout}/deno.json`, WORKER, checkout, target],
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout);
  }

  // deno-lint-ignore no-explicit-any -- as the worker has it
  async answer(): Promise<any> {
    const { value } = await this.#lines.next();
    if (value === undefined) throw new Error("A worker has ended; its error is above");
    return JSON.parse(value);
  }

  // deno-lint-ignore no-explicit-any -- as the worker has it
  async ask(line: string): Promise<any> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return await this.answer();
  }

  async close(): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#child.status;
  }
}

async function* linesOf(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

/** A checkout with a database. */
export class Checkout implements AsyncDisposable {
  readonly #place: Place;
  readonly #client: Worker;
  readonly #server: Worker | undefined;

  private constructor(place: Place, client: Worker, server: Worker | undefined) {
    this.#place = place;
    this.#client = client;
    this.#server = server;
  }

  /** @param folder Absolute path. */
  static async open(folder: string, place: Place): Promise<Checkout> {
    const server = place === "serve" ? new Worker(folder, place) : undefined;
    const port = await server?.answer();
    const client = new Worker(folder, server === undefined ? place : `127.0.0.1:${port}`);
    await client.answer();
    return new Checkout(place, client, server);
  }

  /** Does a slice of some work. */
  async run({ name, times }: Case): Promise<Slice> {
    const serverMs = await this.#server?.ask("cpu") ?? 0;
    const slice = await this.#client.ask(`${name} ${times[this.#place]}`);
    return { ...slice, serverMs: (await this.#server?.ask("cpu") ?? 0) - serverMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
    await this.#server?.close();
  }
}
