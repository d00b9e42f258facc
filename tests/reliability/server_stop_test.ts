/**
 * `btrdb serve` as a process: it says when it is ready, and on SIGINT or SIGTERM finishes what is
 * under way, closes the database and ends with 0. Acknowledged points are there afterwards.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect, type Stream } from "@btrdb/btrdb";
import { start } from "../cli/support.ts";
import { until } from "../support/until.ts";

/** A server of the command line. */
class Served {
  readonly line: string;
  readonly address: string;
  readonly #child: Deno.ChildProcess;
  readonly #rest: Promise<string>;

  private constructor(child: Deno.ChildProcess, line: string, rest: Promise<string>) {
    this.#child = child;
    this.line = line;
    this.address = /Listening on (\S+)/.exec(line)![1]!;
    this.#rest = rest;
  }

  /** Starts one and waits for its first line. */
  static async start(target: string): Promise<Served> {
    const child = start(["serve", target, "--listen", "127.0.0.1:0"]);
    await child.stdout.cancel();
    const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`btrdb serve ended at once: ${text}`);
      text += value;
    }
    const rest = (async () => {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        text += part.value;
      }
      return text;
    })();
    return new Served(child, text.split("\n")[0]!, rest);
  }

  /** Sends a signal; the exit code and everything it said. */
  async signal(name: Deno.Signal): Promise<{ code: number; text: string }> {
    this.#child.kill(name);
    const { code } = await this.#child.status;
    return { code, text: await this.#rest };
  }
}

/** Inserts one point after another until the server is gone; how many were acknowledged. */
async function insertUntilGone(stream: Stream): Promise<number> {
  for (let n = 0;; n++) {
    try {
      await stream.insert([[BigInt(n), n]]);
    } catch {
      return n;
    }
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`btrdb serve: stops on ${signal} in the middle of work, and nothing is lost`, async () => {
    const folder = await Deno.makeTempDir();
    const target = `file:${folder}/a.btrdb`;
    const served = await Served.start(target);
    assertMatch(
      served.line,
      /^Listening on 127\.0\.0\.1:\d+ \(BTrDB v4 and v5, plain text, no API keys/,
    );
    const uuid = crypto.randomUUID();
    const db = await connect(served.address, { retry: false });
    const stream = await db.create(uuid, "stopping");
    const work = insertUntilGone(stream);
    await until("twenty points are there", async () => await stream.count() >= 20n);
    const { code, text } = await served.signal(signal);
    const acknowledged = await work;
    await db.close();
    assertEquals(code, 0, text);
    assertMatch(text, /Stopped\n$/);
    {
      await using file = await connect(target);
      const count = await file.streamFromUUID(uuid).count();
      assert(count >= BigInt(acknowledged), `${count} of ${acknowledged} points`);
      assert(count <= BigInt(acknowledged) + 1n, `${count} of ${acknowledged} points`);
    }
    await Deno.remove(folder, { recursive: true });
  });
}
