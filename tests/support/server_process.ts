/** Servers in processes of their own. */

import { RawClient } from "./grpc_client.ts";

/** A server program that prints its port, or several, and ends with its standard input. */
export class ServerProcess implements AsyncDisposable {
  readonly ports: readonly number[];
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;

  private constructor(
    child: Deno.ChildProcess,
    output: ReadableStreamDefaultReader<Uint8Array>,
    ports: readonly number[],
  ) {
    this.#child = child;
    this.#output = output;
    this.ports = ports;
  }

  /**
   * Starts a program of `tests/support` or `bench/support`.
   *
   * @param program Its path from the root of the repository.
   * @param args Its arguments.
   * @param env Variables of its environment, beside ours.
   */
  static async start(
    program: string,
    args: readonly string[] = [],
    env: Record<string, string> = {},
  ): Promise<ServerProcess> {
    const root = new URL("../../", import.meta.url);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", new URL(program, root).pathname, ...args],
      cwd: root,
      env,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const output = child.stdout.getReader();
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await output.read();
      if (done) throw new Error(`${program} ended before it printed its port`);
      text += new TextDecoder().decode(value);
    }
    return new ServerProcess(child, output, text.trim().split(" ").map(Number));
  }

  get port(): number {
    return this.ports[0]!;
  }

  /** Its process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** `host:port`. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Ends the process without warning. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Ends the program, and reads what it prints then. */
  async end(): Promise<string> {
    await this.#child.stdin.close();
    let text = "";
    const decoder = new TextDecoder();
    for (let step = await this.#output.read(); !step.done; step = await this.#output.read()) {
      text += decoder.decode(step.value, { stream: true });
    }
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close().catch(() => {});
    await this.#output.cancel();
    await this.#child.status;
  }
}

/** The server of recordings (tests/support/golden/server.ts). */
export class GoldenServer implements AsyncDisposable {
  readonly #process: ServerProcess;
  readonly #client: RawClient;

  private constructor(process: ServerProcess) {
    this.#process = process;
    this.#client = new RawClient(process.address);
  }

  static async start(): Promise<GoldenServer> {
    return new GoldenServer(await ServerProcess.start("tests/support/golden/server.ts"));
  }

  get address(): string {
    return this.#process.address;
  }

  /** Begins a scenario, on an empty store. */
  async load(name: string): Promise<void> {
    await this.#control("Load", name);
  }

  /** Announces a recorded call; returns how many recorded answers have been given so far. */
  async step(index: number): Promise<number> {
    return Number(await this.#control("Step", String(index)));
  }

  async #control(method: string, text: string): Promise<string> {
    const request = new TextEncoder().encode(text);
    const { code, details, messages } = await this.#client.call(`/test.Golden/${method}`, request);
    if (code !== 0) throw new Error(`${method}: ${code} ${details}`);
    return new TextDecoder().decode(messages[0]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]();
    await this.#process[Symbol.asyncDispose]();
  }
}
