/**
 * Requests of HTTP/2 that are gone before anybody hears of them, and connections that break the protocol.
 * The gRPC library answers a request of another content type at once, which throws on a closed stream,
 * outside of every call; and an error that nobody hears ends the process.
 *
 * @module
 */

import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from "node:http2";

/** Keeps streams that are closed already from the listeners of a server, hears all errors, and ends what a client has left. */
export function dropDeadStreams(http2: Http2Server): void {
  http2.prependListener("session", (session: ServerHttp2Session) => {
    session.on("error", () => {});
    session.socket.once("close", () => session.destroy());
  });
  const emit = http2.emit;
  http2.emit = ((name: string, ...args: unknown[]) => {
    if (name === "stream") {
      const stream = args[0] as ServerHttp2Stream;
      stream.on("error", () => {});
      if (stream.destroyed || stream.closed || stream.session === undefined) return true;
    }
    return (emit as (name: string, ...args: unknown[]) => boolean).call(http2, name, ...args);
  }) as typeof emit;
}
