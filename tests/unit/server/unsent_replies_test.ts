/** Replies over HTTP/2 to clients that announce a large window and do not read (docs/security.md). */

import { EventEmitter } from "node:events";
import type { Http2ServerResponse } from "node:http2";
import { assertEquals } from "@std/assert";
import { Reply } from "../../../src/server/http/exchange.ts";

/** A reply of HTTP/2, which takes whatever is written. */
class FakeOutgoing extends EventEmitter {
  readonly socket = Object.assign(new EventEmitter(), { writableLength: 0 });
  readonly stream = { session: { socket: this.socket } };
  write(): boolean {
    return true;
  }
}

// The server kept whole answers for such clients: 300 MB for three of them after eight seconds.
Deno.test("Reply: over HTTP/2 there is no room while the socket has much to send", () => {
  const outgoing = new FakeOutgoing();
  const reply = new Reply(outgoing as unknown as Http2ServerResponse, {});
  let drains = 0;
  reply.onDrain(() => drains++);
  assertEquals(reply.write(new Uint8Array(10)), true);
  outgoing.socket.writableLength = 2 << 20;
  assertEquals([reply.write(new Uint8Array(10)), reply.write(new Uint8Array(10))], [false, false]);
  outgoing.emit("drain");
  assertEquals(drains, 0);
  outgoing.socket.writableLength = 0;
  outgoing.socket.emit("drain");
  assertEquals([drains, reply.write(new Uint8Array(10))], [1, true]);
  outgoing.emit("drain");
  assertEquals(drains, 2);
});
