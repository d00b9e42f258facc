/**
 * Limits on the calls that a connection of HTTP/2 may have open. All that were sent at once are begun
 * before anything else is looked at, so that callers without a known key may send few.
 *
 * @module
 */

import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";

/** Most calls of a connection on which no known key was shown. */
export const MAX_UNKNOWN_STREAMS = 128;

/**
 * Raises the limit of a connection once a known key is shown on it.
 *
 * @param isKnown True if callers with such an `authorization` are known, or everybody is.
 * @param most Most calls of a connection then.
 */
export function raiseLimitForKeys(
  http2: Http2Server,
  isKnown: (authorization: string | undefined) => boolean,
  most: number,
): void {
  if (most <= MAX_UNKNOWN_STREAMS) return;
  const raised = new WeakSet<Http2Session>();
  http2.prependListener("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const { session } = stream;
    if (session === undefined || raised.has(session) || !isKnown(headers.authorization)) return;
    raised.add(session);
    session.settings({ maxConcurrentStreams: most });
  });
}
