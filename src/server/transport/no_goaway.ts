/**
 * HTTP/2 sessions that never send GOAWAY. Under Deno a server that sends one after some hundred
 * calls, e.g. in answer to the GOAWAY of a client that closes, can be ended by a failed assertion of
 * its native HTTP/2 code (`find_stream_on_goaway_func`), and with it every other client. Nothing is
 * lost without: who closes says so by closing (docs/server.md, "Transport").
 *
 * @module
 */

import type { Http2Server, ServerHttp2Session } from "node:http2";

/** Keeps the sessions of a server from sending GOAWAY. */
export function suppressGoaway(http2: Http2Server): void {
  http2.on("session", (session: ServerHttp2Session) => {
    session.goaway = () => {};
  });
}
