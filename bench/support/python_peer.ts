/**
 * The official Python client, as a process that does jobs on demand.
 *
 * @module
 */

import { pythonWith } from "../../tests/interop/support/cache.ts";

/** A Python process; made once for a bench, and closed by it. */
export class PythonPeer {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /**
   * Starts the client; its package comes from PyPI into an environment of its own.
   *
   * @returns `undefined` where there is no Python or no package.
   */
  static async start(args: readonly string[]): Promise<PythonPeer | undefined> {
    try {
      const python = await pythonWith("btrdb-5.34.2", ["btrdb==5.34.2", "pandas", "pyarrow"]);
      const script = new URL("./python_client.py", import.meta.url).pathname;
      const command = new Deno.Command(python, {
        args: ["-W", "ignore", script, ...args],
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      });
      const peer = new PythonPeer(command.spawn());
      await peer.#line();
      return peer;
    } catch {
      return undefined;
    }
  }

  /** Does a job once. */
  async run(job: "raw" | "insert" | "nearest" | "nearest-in-turn"): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${job}\n`));
    await this.#line();
  }

  async #line(): Promise<void> {
    for (let text = ""; !text.endsWith("\n");) {
      const { value, done } = await this.#output.read();
      if (done) throw new Error("The Python client has ended");
      text += value;
    }
  }

  /** Ends the process. */
  async close(): Promise<void> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#child.status;
  }
}
