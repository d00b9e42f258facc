/**
 * The official Python client, as a process that does jobs on demand.
 *
 * @module
 */

import { pythonWith } from "../../tests/interop/support/cache.ts";

/** Packages and program of a version of the client. */
const VERSIONS = {
  "4.11.2": { packages: ["btrdb==4.11.2"], program: "./python4_client.py" },
  "5.34.2": { packages: ["btrdb==5.34.2", "pandas", "pyarrow"], program: "./python_client.py" },
} as const;

/** Version of the official client: 4 speaks protocol v4, 5 speaks v5. */
export type PythonVersion = keyof typeof VERSIONS;

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
   * @param version Of the client.
   * @param args Of its program.
   * @returns `undefined` where there is no Python or no package.
   */
  static async start(
    version: PythonVersion,
    args: readonly string[],
  ): Promise<PythonPeer | undefined> {
    const { packages, program } = VERSIONS[version];
    return await PythonPeer.startScript(`btrdb-${version}`, packages, program, args);
  }

  /**
   * Starts a script of this folder.
   *
   * @param name Of the environment with its packages.
   * @returns `undefined` where there is no Python or no package.
   */
  static async startScript(
    name: string,
    packages: readonly string[],
    script: string,
    args: readonly string[],
  ): Promise<PythonPeer | undefined> {
    try {
      const python = await pythonWith(name, packages);
      const command = new Deno.Command(python, {
        args: ["-W", "ignore", new URL(script, import.meta.url).pathname, ...args],
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

  /** Id of its process. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Does a job once.
   *
   * @returns The line it answers with.
   */
  async run(job: string): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${job}\n`));
    return await this.#line();
  }

  async #line(): Promise<string> {
    let text = "";
    while (!text.endsWith("\n")) {
      const { value, done } = await this.#output.read();
      if (done) throw new Error("The Python client has ended");
      text += value;
    }
    return text.trimEnd();
  }

  /** Ends the process. */
  async close(): Promise<void> {
    await this.#input.close();
    await this.#output.cancel();
    await this.#child.status;
  }
}
