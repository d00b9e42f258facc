/** Starts, watches and ends `serve_process.ts`. */

const SCRIPT = new URL("serve_process.ts", import.meta.url).pathname;

/** A running server. */
export class ServerProcess {
  readonly address: string;
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #errors: Promise<string>;

  private constructor(child: Deno.ChildProcess, address: string, errors: Promise<string>) {
    this.#child = child;
    this.address = address;
    this.pid = child.pid;
    this.#errors = errors;
  }

  /**
   * Starts one and waits until it is ready.
   *
   * @param target What it serves, e.g. `file:…`.
   * @param port 0: any.
   */
  static async start(target: string, port = 0): Promise<ServerProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--no-lock", SCRIPT, target, String(port)],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const errors = new Response(child.stderr).text();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("\n")) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`the server did not start:\n${await errors}`);
      text += value;
    }
    await reader.cancel();
    return new ServerProcess(child, JSON.parse(text).address, errors);
  }

  /** Memory it holds, MB; 0 where the system does not tell. */
  residentMb(): number {
    try {
      const status = Deno.readTextFileSync(`/proc/${this.pid}/status`);
      return Math.round(Number(/VmRSS:\s*(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      return 0;
    }
  }

  /** Asks it to stop and waits; how it ended and what it complained about. */
  async stop(): Promise<{ code: number; errors: string }> {
    this.#child.kill("SIGTERM");
    const { code } = await this.#child.status;
    return { code, errors: await this.#errors };
  }

  /** Kills it at once; what it had complained about. */
  async kill(): Promise<string> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It is gone already.
    }
    await this.#child.status;
    return await this.#errors;
  }
}
