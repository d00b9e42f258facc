/**
 * HTTP/2 sessions that never send GOAWAY. Under Deno a server that sends one after some hundred
 * calls, e.g. in answer to the GOAWAY of a client that closes, can be ended by a failed assertion of
 * its native HTTP/2 code (`find_stream_on_goaway_func`), and with it every other client. Nothing is
 * lost without: who closes says so by closing (docs/server.md, "Transport").
 *
 * @module
 */

import type { Server } from "@grpc/grpc-js";
import type { Http2Server, ServerHttp2Session } from "node:http2";

/**
 * Keeps the sessions of `server` from sending GOAWAY. The library does not hand out its HTTP/2
 * servers; they are the keys of one of its tables. Where a later version of it has no such table,
 * this throws rather than let a server run that any client can end.
 *
 * @param server After its injector has been made.
 */
export function keepQuiet(server: Server): void {
  const table = (server as unknown as { http2Servers?: unknown }).http2Servers;
  if (!(table instanceof Map) || table.size === 0) {
    throw new Error(
      "Cannot serve: this version of @grpc/grpc-js keeps its HTTP/2 servers elsewhere",
    );
  }
  for (const http2 of table.keys() as Iterable<Http2Server>) {
    http2.on("session", (session: ServerHttp2Session) => {
      session.goaway = () => {};
    });
  }
}
