/** Writers in processes of their own. */

const WRITER = new URL("./lone_writer.ts", import.meta.url).pathname;

/** A writer in a process of its own, which may not be alone. */
export class LoneWriter {
  readonly path: string;
  /** Each byte of the uuid of its stream. */
  readonly byte: number;
  /** Points that were acknowledged. */
  acknowledged = 0;
  /** Last word, when it has ended. */
  end: string | undefined;
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor(path: string, byte: number) {
    this.path = path;
    this.byte = byte;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", WRITER, path, String(byte)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Reads until so many points are acknowledged, or the writer has ended. */
  async until(count: number): Promise<void> {
    while (this.acknowledged < count && this.end === undefined) {
      const { value, done } = await this.#lines.read();
      if (done) {
        this.end ??= "gone";
        break;
      }
      this.#rest += value;
      const lines = this.#rest.split("\n");
      this.#rest = lines.pop()!;
      for (const line of lines) {
        if (/^\d+$/.test(line)) this.acknowledged = Number(line) + 1;
        else this.end = line;
      }
    }
  }

  /** Kills it, if it has not ended. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.until(Infinity);
    await this.#finish();
  }

  /** Has it close its database. */
  async close(): Promise<void> {
    await this.#child.stdin.close();
    await this.until(Infinity);
    await this.#finish();
  }

  async #finish(): Promise<void> {
    await this.#lines.cancel();
    await this.#child.stdin.close().catch(() => {});
    await this.#child.status;
  }
}
