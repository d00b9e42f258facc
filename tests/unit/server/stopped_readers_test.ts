/** Readers of the HTTP port that stop or vanish: what the server keeps for them, and when it ends. */

import { assert } from "@std/assert";
import { Buffer } from "node:buffer";
import http from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { delay } from "../../../src/core/call.ts";
import { frameOf } from "../../../src/core/grpc_web.ts";
import { uuidBytes } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { rawValuesParams } from "../../../src/grpc/wire/messages.ts";
import { serve } from "../../../src/server/mod.ts";
import { EndlessQueries } from "../../support/endless_queries.ts";
import { until } from "../../support/until.ts";

const UUID = "00000000-0000-4000-8000-000000000001";

/** Most bytes that the server holds for a reader that has stopped, as docs/server.md says. */
const HELD_BYTES = 1 << 20;

/** A request, as it goes over the wire. */
interface Request {
  readonly head: string;
  readonly body: Uint8Array;
}

/** All kinds of endless answers that the port has. */
const REQUESTS: Readonly<Record<string, Request>> = {
  "gRPC-Web": {
    head: "POST /v5api.BTrDB/RawValues HTTP/1.1\r\ncontent-type: application/grpc-web+proto\r\n",
    body: frameOf(
      rawValuesParams({ uuid: uuidBytes(UUID), start: 0n, end: 1n << 60n, version: 0n }),
    ),
  },
  ...Object.fromEntries(["csv", "ndjson", "json", "arrow"].map((format) => [
    `data.${format}`,
    {
      head:
        `GET /api/v1/data.${format}?stream=${UUID}&start=0&end=1152921504606846976 HTTP/1.1\r\n`,
      body: new Uint8Array(0),
    },
  ])),
};

/** Sends a request, and reads some of the answer. */
async function begin(port: number, { head, body }: Request): Promise<Socket> {
  const socket = connectTcp(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(`${head}host: localhost\r\ncontent-length: ${body.length}\r\n\r\n`);
  socket.write(Buffer.from(body));
  let read = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on("close", () => reject(new Error("the connection was closed")));
    socket.on("data", (bytes: Uint8Array) => {
      if (read === 0 && !String(bytes).startsWith("HTTP/1.1 200")) reject(new Error(String(bytes)));
      read += bytes.length;
      if (read > 200_000) resolve();
    });
  });
  socket.pause();
  return socket;
}

/** Bytes of the replies of this process that the system has not taken. */
class Replies implements Disposable {
  readonly #all = new Set<http.ServerResponse>();
  readonly #write: (...args: unknown[]) => boolean = http.ServerResponse.prototype.write as never;

  constructor() {
    const [all, write] = [this.#all, this.#write];
    http.ServerResponse.prototype.write = function (this: http.ServerResponse, ...args: unknown[]) {
      all.add(this);
      return write.apply(this, args);
    } as never;
  }

  /** Bytes held now. */
  get heldBytes(): number {
    let bytes = 0;
    for (const reply of this.#all) bytes += reply.writableLength;
    return bytes;
  }

  [Symbol.dispose](): void {
    http.ServerResponse.prototype.write = this.#write as never;
  }
}

for (const [name, request] of Object.entries(REQUESTS)) {
  Deno.test(`serve http, ${name}: a reader that stops gets no more; its connection closed, its query ends`, async () => {
    const queries = new EndlessQueries();
    const engine = await openEngine();
    await engine.create({
      uuid: uuidBytes(UUID),
      collection: "c",
      tags: new Map([["name", "s"]]),
      annotations: new Map(),
    });
    using replies = new Replies();
    {
      await using server = await serve(queries.endpoint(engine), { port: 0, http: { port: 0 } });
      const socket = await begin(server.httpPort!, request);
      let [before, still] = [-1, 0];
      // A busy machine may produce nothing for a moment, too: bytes are held once nobody reads.
      await until("bytes are held, and nothing is produced while nobody reads", async () => {
        still = replies.heldBytes > 0 && before === queries.chunks ? still + 1 : 0;
        before = queries.chunks;
        await delay(100);
        assert(replies.heldBytes <= HELD_BYTES, `${replies.heldBytes} bytes are held`);
        return still === 3;
      });
      const { chunks, bytes } = queries;
      // deno-lint-ignore no-console -- a figure to be seen
      console.info(`${name}: ${replies.heldBytes} bytes are held, ${bytes} were produced`);
      await queries.endsAfter(`a closed connection, ${name}`, () => socket.destroy());
      assert(queries.chunks - chunks <= 2, `${queries.chunks - chunks} chunks for nobody`);
    }
    await engine.close();
  });
}
