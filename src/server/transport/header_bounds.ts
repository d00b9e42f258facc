/**
 * Bounds on the headers of HTTP/2, which may repeat a field of 4 KiB for each byte that was sent. The
 * native code under Deno refuses a request with more than 128 fields, but keeps them, half a MiB,
 * until garbage is collected, which it does not ask for: a client without a key could fill the memory
 * at 300 MB/s. No honest client sends such headers, so that connections end by them.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { collectGarbage } from "../free_memory.ts";
import { endConnection } from "./end_connection.ts";

/** Bytes of a frame that resets a stream. */
const RESET_BYTES = 13;

/** Its type (RFC 9113, section 6.4). */
const RESET = 3;

/** The error code with which headers are refused (RFC 9113, section 7). */
const ENHANCE_YOUR_CALM = 11;

/** Longest headers of a request, characters. */
const MAX_LENGTH = 65_536;

/** Number of the latest stream of a connection whose headers were not refused. */
const LATEST = Symbol("latest stream");

/** A connection whose resets are looked at. */
type Watched = Socket & { [LATEST]?: number };

/** Ends connections with longer headers than {@linkcode MAX_LENGTH}. */
export function endOnLongHeaders(http2: Http2Server): void {
  http2.prependListener("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const socket = stream.session?.socket as Watched | undefined;
    if (socket !== undefined && stream.id !== undefined) socket[LATEST] = stream.id;
    let length = 0;
    for (const [name, value = ""] of Object.entries(headers)) length += name.length + value.length;
    if (length <= MAX_LENGTH) return;
    // Not at once: others are about to hear of the stream, and may answer.
    setImmediate(() => {
      if (stream.session !== undefined) endConnection(stream.session);
    });
  });
}

/**
 * Ends a connection when a stream of it is reset because of its headers. Each write of a session is
 * whole frames; where the runtime writes past the socket (Node.js) it bounds headers itself.
 */
export function endOnRefusedHeaders(socket: Socket): void {
  const write = socket.write;
  socket.write = ((...args: Parameters<typeof write>) => {
    if (isRefusal(args[0], (socket as Watched)[LATEST] ?? 0)) {
      queueMicrotask(() => {
        socket.destroy();
        collectGarbage();
      });
    }
    return write.apply(socket, args);
  }) as typeof write;
}

/**
 * Tells whether a frame refuses the headers of a stream. Streams that were accepted are reset with the
 * same code when a client closes its connection with it, as one does that has seen many resets.
 */
function isRefusal(frame: unknown, latest: number): boolean {
  if (!(frame instanceof Uint8Array) || frame.length < RESET_BYTES || frame[3] !== RESET) {
    return false;
  }
  const { buffer, byteOffset, byteLength } = frame;
  const view = new DataView(buffer, byteOffset, byteLength);
  return view.getUint32(0) >>> 8 === 4 && view.getUint32(9) === ENHANCE_YOUR_CALM &&
    view.getUint32(5) > latest;
}
