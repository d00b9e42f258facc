/**
 * Bounds on the headers of HTTP/2, which may repeat a field of 4 KiB for each byte that was sent. The
 * native code under Deno refuses a request with more than 128 fields, but keeps them, half a MiB,
 * until garbage is collected, which it does not ask for: a client without a key could fill the memory
 * at 300 MB/s. No honest client sends such headers, so that connections end by them.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type {
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
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

/** Headers of a connection so far. */
interface Seen {
  /** Number of the latest stream whose headers were not refused. */
  latest: number;
}

const SEEN = Symbol("headers seen");

/** A connection whose resets are looked at. */
type Watched = Socket & { [SEEN]?: Seen };

/** Ends connections with longer headers than {@linkcode MAX_LENGTH}. */
export function endOnLongHeaders(http2: Http2Server): void {
  /** The same by session, whose socket is a proxy: each look at it takes long. */
  const bySession = new WeakMap<object, Seen>();
  const seenBy = (session: ServerHttp2Session): Seen | undefined => {
    const known = bySession.get(session);
    if (known !== undefined) return known;
    const seen = (session.socket as Watched | undefined)?.[SEEN];
    if (seen !== undefined) bySession.set(session, seen);
    return seen;
  };
  http2.prependListener("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const { session, id } = stream;
    const seen = session === undefined ? undefined : seenBy(session as ServerHttp2Session);
    if (seen !== undefined && id !== undefined) seen.latest = id;
    let length = 0;
    for (const name of Object.keys(headers)) length += name.length + (headers[name] ?? "").length;
    if (length <= MAX_LENGTH) return;
    // Not at once: others are about to hear of the stream, and may answer. One that is answered until
    // then has no session any more.
    setImmediate(() => {
      if (session !== undefined) endConnection(session);
    });
  });
}

/**
 * Ends a connection when a stream of it is reset because of its headers. Each write of a session is
 * whole frames; where the runtime writes past the socket (Node.js) it bounds headers itself.
 */
export function endOnRefusedHeaders(socket: Socket): void {
  const write = socket.write;
  const seen: Seen = (socket as Watched)[SEEN] = { latest: 0 };
  socket.write = ((...args: Parameters<typeof write>) => {
    if (isRefusal(args[0], seen.latest)) {
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
