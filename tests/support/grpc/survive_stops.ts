/** Clients that live through the graceful stops of their server, each in a process of its own. */

import { connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { assertEquals } from "@std/assert";
import { GracefulProxy } from "./graceful_proxy.ts";

/** Program of the clients. */
export const PROGRAM: string = new URL("graceful_client.mjs", import.meta.url).pathname;

/** A command that runs {@linkcode PROGRAM}, without the arguments of the program. */
export interface ClientCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

/** A client in a process of its own. */
class ClientProcess {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #rest = "";

  constructor({ program, args, cwd }: ClientCommand, kind: string, address: string) {
    this.#child = new Deno.Command(program, {
      args: [...args, kind, address],
      ...(cwd === undefined ? {} : { cwd }),
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line; an error if the process has died. */
  async line(): Promise<string> {
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) {
        const { code, signal } = await this.#child.status;
        throw new Error(`The client has ended with code ${code}, signal ${signal}`);
      }
      this.#rest += value;
    }
    const at = this.#rest.indexOf("\n");
    const line = this.#rest.slice(0, at);
    this.#rest = this.#rest.slice(at + 1);
    return line;
  }

  /** Waits until a line comes that says this. */
  async says(text: string): Promise<void> {
    for (let line = ""; line !== text;) {
      line = await this.line();
      if (line !== text && line !== "ok") throw new Error(`The client says: ${line}`);
    }
  }

  async tell(): Promise<void> {
    await this.#input.write(new TextEncoder().encode("go\n"));
  }

  /** Ends the client; all that it still says. */
  async end(): Promise<string[]> {
    await this.#input.close();
    const lines: string[] = [];
    while (lines.at(-1) !== "done") lines.push(await this.line());
    await this.#lines.cancel();
    const { code } = await this.#child.status;
    assertEquals(code, 0);
    return lines.filter((line) => line !== "ok");
  }
}

/**
 * Stops servers gracefully while their clients are idle, busy, subscribed and behind a proxy. Fails if
 * a client dies or a call of one is lost.
 *
 * @param command Runs a client.
 * @param most Connections that are told to go.
 */
export async function surviveStops(command: ClientCommand, most: number): Promise<void> {
  await using served = await connect("memory:");
  await using server = await serve(served, { port: 0 });
  const kinds = ["idle", "busy", "subscribed", "proxied"] as const;
  const proxies = await Promise.all(kinds.map(() => GracefulProxy.start(server.port)));
  try {
    const [idle, busy, subscribed, proxied] = kinds.map((kind, i) =>
      new ClientProcess(command, kind, proxies[i]!.address)
    ) as [ClientProcess, ClientProcess, ClientProcess, ClientProcess];
    for (const client of [idle, busy, subscribed]) assertEquals(await client.line(), "ready");
    const port = (await proxied.line()).split(" ")[1];
    await using through = await connect(`127.0.0.1:${port}`);
    const stream = await through.create(crypto.randomUUID(), "graceful/through");
    await subscribed.says("ok");
    let stops = 0;
    while (stops < most) {
      const counts = await Promise.all(proxies.map((proxy, i) => proxy.stop(i === 2)));
      stops += counts.reduce((sum, count) => sum + count, 0);
      await idle.tell();
      await Promise.all([
        idle.says("ok"),
        busy.says("ok"),
        subscribed.says("ok"),
        stream.insert([[BigInt(stops), stops]]),
      ]);
    }
    assertEquals(await idle.end(), ["done"]);
    assertEquals(await busy.end(), ["all", "done"]);
    assertEquals(await subscribed.end(), ["done"]);
    await through.close();
    assertEquals(await proxied.end(), ["done"]);
  } finally {
    for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  }
}
