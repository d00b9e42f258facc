/** The end of connections of HTTP/2 whose clients do not read (docs/security.md). */

import { Buffer } from "node:buffer";
import { createServer as createServer2 } from "node:http2";
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { assert } from "@std/assert";
import { canBeEnded, endConnection } from "../../../src/server/transport/end_connection.ts";
import { settled, until } from "../../support/until.ts";

/** The preface, windows of 2 GiB, and a request for `/` at `localhost`. */
const REQUEST = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]),
  Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xff, 0, 0]),
  Buffer.from([0, 0, 14, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x01, 9]),
  Buffer.from("localhost"),
]);

// Its session was destroyed after 160 s, and the connection of a client that read nothing was still open
// after 300 s, with 4 MB that waited for it: sessions send first what they have.
Deno.test("endConnection: a connection is closed although its client reads nothing", async () => {
  const http2 = createServer2();
  let isClosed = false;
  const server = createServer((socket: Socket) => {
    socket.on("error", () => {});
    socket.on("close", () => isClosed = true);
    canBeEnded(socket);
    http2.emit("connection", socket);
  });
  const session = Promise.withResolvers<ServerHttp2Session>();
  http2.on("session", (made: ServerHttp2Session) => {
    made.on("error", () => {});
    session.resolve(made);
  });
  http2.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    stream.respond({ ":status": 200 });
    stream.write(Buffer.alloc(64 << 20));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connectTcp((server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => {});
  client.write(REQUEST);
  const { socket } = await session.promise;
  await until("bytes wait", () => socket!.bytesWritten > 0 && socket!.writableLength > 0);
  // Until the system takes no more.
  await settled(() => socket!.bytesWritten);
  assert(socket!.writableLength > 0);
  endConnection(await session.promise);
  await until("the connection is closed", () => isClosed);
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
});
