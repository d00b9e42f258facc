/** Starts, watches and ends `serve_process.ts`. */

const SCRIPT = new URL("serve_process.ts", import.meta.url).pathname;

/** Line that a server prints when it is ready. */
interface Ready {
  address: string;
  metricsPort: number;
  httpPort?: number;
}

/** Memory of a server, MB. */
export interface Memory {
  resident: number;
  /** JavaScript objects. */
  heap: number;
  /** Buffers. */
  external: number;
}

/** A running server. */
export class ServedDatabase {
  readonly address: string;
  readonly pid: number;
  /** Port of HTTP, if it was asked for. */
  readonly httpPort: number | undefined;
  readonly #metricsPort: number;
  readonly #child: Deno.ChildProcess;
  readonly #errors: Promise<string>;

  private constructor(child: Deno.ChildProcess, ready: Ready, errors: Promise<string>) {
    this.#child = child;
    this.address = ready.address;
    this.#metricsPort = ready.metricsPort;
    this.httpPort = ready.httpPort;
    this.pid = child.pid;
    this.#errors = errors;
  }

  /**
   * Starts one and waits until it is ready.
   *
   * @param target Database to serve, e.g. `file:…`.
   * @param port 0 or absent: any.
   * @param httpPort 0: any; absent: none.
   */
  static async start(target: string, port?: number, httpPort?: number): Promise<ServedDatabase> {
    const ports = [port ?? 0, ...(httpPort === undefined ? [] : [httpPort])].map(String);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", SCRIPT, target, ...ports],
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
    return new ServedDatabase(child, JSON.parse(text) as Ready, errors);
  }

  /** Memory it holds; `undefined` while it does not answer. */
  async memory(): Promise<Memory | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.#metricsPort}/metrics`);
      const text = await response.text();
      const read = (name: string) =>
        Math.round(
          Number(new RegExp(`^process_${name}_bytes (\\d+)`, "m").exec(text)![1]) / 2 ** 20,
        );
      return {
        resident: read("resident_memory"),
        heap: read("heap"),
        external: read("external"),
      };
    } catch {
      return undefined;
    }
  }

  /** One of its metrics, by name and labels. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.#metricsPort}/metrics`);
    const line = (await response.text()).split("\n").find((text) => text.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1));
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
