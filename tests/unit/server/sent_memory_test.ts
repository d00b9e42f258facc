/** Memory of messages that is used again while slow readers still have them under way. */

import { assert, assertEquals } from "@std/assert";
import type { ServerResponse } from "node:http";
import { Writable } from "node:stream";
import { connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { delay } from "../../../src/core/call.ts";
import { Reply } from "../../../src/server/http/exchange.ts";
import { haveOpenssl, makeCertificate } from "../../support/certificate.ts";
import { until } from "../../support/until.ts";

/** Points of a stream, 8 MB as messages: more than the sockets hold. */
const POINTS = 400_000;
const STREAMS = 4;

/** Reads all streams at once, and stops now and then; returns what is not what was written. */
const SLOW_READERS = `
  import { connect } from "@btrdb/btrdb";
  const [target, ...uuids] = Deno.args;
  await using db = await connect(target);
  const wrong = await Promise.all(uuids.map(async (uuid, s) => {
    let i = 0, bad = 0, batches = 0;
    for await (const { times, values } of db.streamFromUUID(uuid).rawValues(0n, 1n << 40n)) {
      for (let k = 0; k < times.length; k++, i++) {
        if (times[k] !== BigInt(i) * 1_000n || values[k] !== s * 1e6 + i) bad++;
      }
      if (batches++ % (20 + s) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return i === ${POINTS} ? bad : "only " + i;
  }));
  console.log(wrong.join());
`;

Deno.test("serve: readers that stop now and then get what was written, by every protocol", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using db = await connect(`file:${folder}/slow.btrdb`);
    const uuids: string[] = [];
    for (let s = 0; s < STREAMS; s++) {
      const stream = await db.create(crypto.randomUUID(), `slow/${s}`);
      await stream.insert({
        times: BigInt64Array.from({ length: POINTS }, (_, i) => BigInt(i) * 1_000n),
        values: Float64Array.from({ length: POINTS }, (_, i) => s * 1e6 + i),
      });
      uuids.push(stream.uuid);
    }
    await Deno.writeTextFile(`${folder}/program.ts`, SLOW_READERS);
    const read = async (target: string, env: Record<string, string> = {}) => {
      const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--config", "deno.json", `${folder}/program.ts`]
          .concat(target, uuids),
        env,
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      assertEquals(new TextDecoder().decode(stdout).trim(), "0,0,0,0", target);
    };
    for (const workers of [0, 2]) {
      await using server = await serve(db, { port: 0, workers, http: { port: 0 } });
      await Promise.all([
        read(`127.0.0.1:${server.port}`),
        read(`grpc-web://127.0.0.1:${server.httpPort}`),
      ]);
    }
    if (!haveOpenssl()) return console.warn("skipped, no openssl: over TLS");
    const { cert, key } = await makeCertificate(folder, "server", [
      "basicConstraints=critical,CA:FALSE",
    ]);
    await using server = await serve(db, { port: 0, http: { port: 0 }, tls: { cert, key } });
    await read(`grpc-web+tls://localhost:${server.httpPort}`, { DENO_CERT: cert });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** An HTTP/1.1 reply whose socket takes what was written when it is told to. */
class SlowSocket extends Writable {
  readonly taken: string[] = [];
  #waiting: (() => void) | undefined;

  writeHead(): void {}

  override _write(bytes: Uint8Array, _: string, done: () => void): void {
    this.#waiting = () => {
      this.taken.push(new TextDecoder().decode(bytes));
      done();
    };
  }

  /** Takes one piece. */
  async take(): Promise<void> {
    await until("a piece is there", () => this.#waiting !== undefined);
    const take = this.#waiting!;
    this.#waiting = undefined;
    take();
    await delay(0);
  }
}

Deno.test("Reply.write: memory is given back once the socket has taken it, and not before", async () => {
  const socket = new SlowSocket();
  const reply = new Reply(socket as unknown as ServerResponse, {});
  reply.begin(200, {});
  const bytes = (text: string) => new TextEncoder().encode(text);
  let given = 0;
  const pieces = [bytes("one"), bytes("two")];
  for (const piece of pieces) {
    reply.write(piece, () => given += piece.fill(0).length);
  }
  for (const expected of [3, 6]) {
    await socket.take();
    assertEquals(given, expected);
  }
  assertEquals(socket.taken, ["one", "two"]);
  reply.write(bytes("lost"), () => given = NaN);
  socket.destroy(new Error("the client is gone"));
  await until("it is closed", () => socket.closed);
  assertEquals(given, 6);
});
